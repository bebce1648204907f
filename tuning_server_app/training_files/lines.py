"""A file of examples, one a line, of which never more than one is in memory."""

from collections.abc import Iterator
from typing import Any, Protocol

import orjson

from tuning_server_app.training_files.example_rules import problems_of_example

MAX_LINE_BYTES = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"

Example = dict[str, Any]


class Lines(Protocol):
    """What is read of a file: a line, or as many bytes of it."""

    def readline(self, limit: int = ..., /) -> bytes: ...


class FileRefused(Exception):
    """The file cannot be trained on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def numbered_lines(file: Lines) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, from 1; one that is too long comes cut."""
    number, is_first = 0, True
    while line := file.readline(MAX_LINE_BYTES + 1):
        if is_first:
            line, is_first = line.removeprefix(BOM), False
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES + 1)
        if line.strip():
            number += 1
            yield number, line


def read_example(line: bytes, method: str) -> tuple[Example, list[str]]:
    """The example of a line, and what is wrong with it: sentences that begin with
    "Example N"."""
    if len(line) > MAX_LINE_BYTES:
        return {}, [f": the line is longer than {MAX_LINE_BYTES // 1024**2} MB."]
    try:
        line.decode()
    except UnicodeDecodeError as error:
        place = f"byte {error.start + 1} of the line"
        return {}, [f": the text is not UTF-8 ({place})."]
    try:
        example = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {}, [f": the line is not valid JSON ({error})."]
    if not isinstance(example, dict):
        return {}, [": the line is not a JSON object."]
    return example, list(problems_of_example(example, method))
