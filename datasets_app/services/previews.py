"""The first rows of an upload as they would be stored, before anything is."""

from dataclasses import dataclass, field
from typing import Any

from datasets_app import exact_json, formats
from datasets_app.chat_checks import find_problems
from datasets_app.chat_format import OUTPUT_KEYS, texts_of
from datasets_app.jsonl import BadFile, BadLine, Line, Problem
from datasets_app.models import ImportRun
from datasets_app.turn_views import Image, images_of

ROWS_SHOWN = 10
TEXT_SHOWN = 2_000  # characters of one message
RAW_SHOWN = 500
IMAGE_CHARACTERS = 1_000_000  # of one that is shown; ten rows are on the page


@dataclass(frozen=True, slots=True)
class Turn:
    """A message for a person to look at. `part`: of which output it is, if of one."""

    role: str
    content: str
    calls: str = ""
    weight: Any = None
    part: str = ""
    images: list[Image] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    number: int
    turns: list[Turn] = field(default_factory=list)
    tools: str = ""
    extra: str = ""
    tags: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    raw: str = ""  # where no record can be made of it


@dataclass(frozen=True, slots=True)
class Look:
    """What the file holds, read as `format`; `problem` says why it cannot be."""

    format: str
    lines: list[Line] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    problem: Problem | None = None

    @property
    def guess(self) -> dict[str, str]:
        return formats.guess_mapping(self.columns)

    def rows(self, mapping: dict[str, str]) -> list[PreviewRow]:
        return [_row(line, self.format, mapping) for line in self.lines]


def look_at(run: ImportRun, format: str) -> Look:
    """The first rows, in little time whatever the file."""
    try:
        with run.file.open("rb") as opened:
            file = opened.file
            lines = formats.first_lines(file, format, ROWS_SHOWN)
            columns = formats.column_names(file, format, lines)
    except BadFile as exc:
        return Look(format, problem=exc.problem)
    except FileNotFoundError:
        return Look(format, problem=Problem("file_gone"))
    return Look(format, lines, columns)


def _row(line: Line, format: str, mapping: dict[str, str]) -> PreviewRow:
    try:
        record = formats.to_record(line, format, mapping)
        tags = formats.tags_of(line, format, mapping)
    except BadLine as exc:
        raw = line.data[: 4 * RAW_SHOWN].decode(errors="replace")[:RAW_SHOWN]
        return PreviewRow(line.number, problems=[exc.problem], raw=raw)
    return PreviewRow(
        number=line.number,
        turns=_turns(record),
        tools=_pretty(record.get("tools") or record.get("functions")),
        extra=_pretty(record.get("extra")),
        tags=tags,
        problems=find_problems(record, method=formats.method_of(format, mapping)),
    )


def _turns(record: dict[str, Any]) -> list[Turn]:
    return [
        _turn(message, "" if key == "messages" else key)
        for key in ("messages", *OUTPUT_KEYS)
        for message in _list(record.get(key))
    ]


def _turn(message: Any, part: str) -> Turn:
    if not isinstance(message, dict):
        return Turn(role="", content=_pretty(message), part=part)
    content = message.get("content")
    text = "\n".join(texts_of({"content": content}))
    images = images_of(content, IMAGE_CHARACTERS)
    if not (text or images) and content is not None and not isinstance(content, str):
        text = _pretty(content)
    calls = message.get("tool_calls") or message.get("function_call")
    return Turn(
        role=str(message.get("role") or "")[:50],
        content=text[:TEXT_SHOWN],
        calls=_pretty(calls),
        weight=message.get("weight"),
        part=part,
        images=images,
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pretty(value: Any) -> str:
    return exact_json.pretty(value)[:TEXT_SHOWN] if value else ""
