"""Checks a file before a model is trained on it."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import orjson

from tuning_server_app.training_files.example_rules import (
    SUPERVISED,
    problems_of_example,
)

MIN_EXAMPLES = 10
MAX_LINE_BYTES = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
SHOWN_PROBLEMS = 5


class Lines(Protocol):
    """What is read of a file: a line, or as many bytes of it."""

    def readline(self, limit: int = ..., /) -> bytes: ...


class FileRefused(Exception):
    """The file cannot be trained on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_training_file(file: Lines, method: str = SUPERVISED) -> int:
    """The number of examples in the file.

    Raises:
        FileRefused: with the first problems, each by example and message.
    """
    n_examples = check_validation_file(file, method)
    if n_examples < MIN_EXAMPLES:
        raise FileRefused(
            "invalid_n_examples",
            f"Training file has {n_examples} example(s), but must have at least"
            f" {MIN_EXAMPLES} examples.",
        )
    return n_examples


def check_validation_file(file: Lines, method: str = SUPERVISED) -> int:
    """The same without a smallest number, except that there must be one.

    Raises:
        FileRefused
    """
    n_examples, problems = 0, []
    for n_examples, line in enumerate(_lines(file), start=1):
        found = _problems_of_line(line, method)
        problems += [f"Example {n_examples}{text}" for text in found]
        if len(problems) > SHOWN_PROBLEMS:
            break
    if problems:
        more = " There are more." if len(problems) > SHOWN_PROBLEMS else ""
        raise FileRefused(
            "invalid_file_format",
            f"The file format is invalid. {' '.join(problems[:SHOWN_PROBLEMS])}{more}",
        )
    if not n_examples:
        raise FileRefused("invalid_n_examples", "The file has no examples.")
    return n_examples


def _lines(file: Lines) -> Iterator[bytes]:
    """The lines that are not blank; one that is too long comes cut, but not whole."""
    is_first = True
    while line := file.readline(MAX_LINE_BYTES + 1):
        if is_first:
            line, is_first = line.removeprefix(BOM), False
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES + 1)
        if line.strip():
            yield line


def _problems_of_line(line: bytes, method: str) -> Iterable[str]:
    if len(line) > MAX_LINE_BYTES:
        return [f": the line is longer than {MAX_LINE_BYTES // 1024**2} MB."]
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return [f": the text is not UTF-8 (byte {error.start + 1} of the line)."]
    try:
        example = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return [f": the line is not valid JSON ({error})."]
    return problems_of_example(example, method)
