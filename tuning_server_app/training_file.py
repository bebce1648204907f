"""Checks a file of chats before a model is trained on it: OpenAI's rules for SFT.

Pure: bytes in, sentences out. Examples and messages are numbered from 1, as at OpenAI.
"""

import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

import orjson

MIN_EXAMPLES = 10
MAX_LINE_BYTES = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"

LINE_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
MESSAGE_KEYS = {
    "role",
    "content",
    "name",
    "weight",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
}
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# What a tokenizer takes for a token of its own would end the message early.
CONTROL_TOKEN = re.compile(r"<\|[A-Za-z0-9_]+\|>")
SHOWN_PROBLEMS = 5


class FileRefused(Exception):
    """The file cannot be trained on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_training_file(file: IO[bytes]) -> int:
    """The number of examples in the file.

    Raises:
        FileRefused: with the first problems, each by example and message.
    """
    n_examples = check_validation_file(file)
    if n_examples < MIN_EXAMPLES:
        raise FileRefused(
            "invalid_n_examples",
            f"Training file has {n_examples} example(s), but must have at least"
            f" {MIN_EXAMPLES} examples.",
        )
    return n_examples


def check_validation_file(file: IO[bytes]) -> int:
    """The same without a smallest number, except that there must be one.

    Raises:
        FileRefused
    """
    n_examples, problems = 0, []
    for n_examples, line in enumerate(_lines(file), start=1):
        problems += [f"Example {n_examples}{text}" for text in _problems_of_line(line)]
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


def _lines(file: IO[bytes]) -> Iterator[bytes]:
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


def _problems_of_line(line: bytes) -> Iterable[str]:
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
    return _problems_of_example(example)


def _problems_of_example(example: object) -> Iterator[str]:
    if not isinstance(example, dict):
        yield ": the line is not a JSON object."
        return
    for key in sorted(example.keys() - LINE_KEYS):
        yield f' contains an extra key "{key[:50]}".'
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        yield ' is missing "messages", a list with at least one message.'
        return
    for number, message in enumerate(messages, start=1):
        yield from (
            f", message {number} {text}" for text in _problems_of_message(message)
        )
    if not any(_is_learnt(message) for message in messages):
        yield " has no assistant message with a weight other than 0: nothing to learn."


def _problems_of_message(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        yield "is not a JSON object."
        return
    for key in sorted(message.keys() - MESSAGE_KEYS):
        yield f'contains an extra key "{key[:50]}".'
    role = message.get("role")
    if role not in ROLES:
        yield f"has the role {str(role)[:50]!r}; known are {', '.join(ROLES)}."
        return
    if message.get("weight") is not None:
        yield from _problems_of_weight(role, message["weight"])
    yield from _problems_of_content(message)
    yield from _problems_of_calls(message)
    if role == "tool" and not message.get("tool_call_id"):
        yield 'is missing "tool_call_id".'


def _problems_of_weight(role: str, weight: object) -> Iterator[str]:
    if role != "assistant":
        yield 'has a "weight", which only assistant messages may have.'
    elif weight not in (0, 1) or isinstance(weight, bool):
        yield 'has a "weight" that is neither 0 nor 1.'


def _problems_of_content(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content")
    is_call = message["role"] == "assistant" and (
        message.get("tool_calls") or message.get("function_call")
    )
    if content is None and is_call:
        return
    text = _text(content)
    if text is None:
        yield "has no text content; this server trains on text only."
    elif not text.strip() and not is_call:
        yield "has empty content."
    else:
        for token in CONTROL_TOKEN.findall(text)[:1]:
            yield f"contains the control token {token}."


def _problems_of_calls(message: dict[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return
    if message["role"] != "assistant" or not isinstance(calls, list):
        yield 'has "tool_calls" that are no list in an assistant message.'
        return
    for call in calls:
        if not _is_call(call):
            yield (
                "has a tool call without a function name, or whose arguments are no"
                " string of JSON."
            )


def _text(content: object) -> str | None:
    """The content as one string: a string as it is, or the text parts of a list."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [
        part.get("text")
        if isinstance(part, dict) and part.get("type") == "text"
        else None
        for part in parts
    ]
    if not all(isinstance(text, str) for text in texts):
        return None
    return "".join(str(text) for text in texts)


def _is_call(call: Any) -> bool:
    try:
        orjson.loads(call["function"]["arguments"])
        return bool(call["function"]["name"])
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return False


def _is_learnt(message: object) -> bool:
    return (
        isinstance(message, dict)
        and message.get("role") == "assistant"
        and message.get("weight") != 0
    )
