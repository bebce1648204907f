"""What is said on the lines of a version, read from the bytes that were frozen."""

from typing import Any, BinaryIO

from datasets_app.chat_format import question_and_answer
from datasets_app.formats import to_record
from datasets_app.jsonl import BadLine, Line
from datasets_app.models import DatasetVersion, VersionRow
from datasets_app.services.exports import FROZEN_AS

MOST_BYTES = 100_000  # of a line: whoever reads a list reads no longer one
TEXT_LENGTH = 200
NOTHING = ("", "")


def with_texts(version: DatasetVersion, rows: list[VersionRow]) -> list[Any]:
    """Lines of one part, each with its `question` and `answer`.

    Both are empty of a line that is too long, and where the file is gone.
    """
    texts = _texts(version, rows)
    for row, (question, answer) in zip(rows, texts, strict=True):
        shown: Any = row
        shown.question, shown.answer = question, answer
    return rows


def _texts(version: DatasetVersion, rows: list[VersionRow]) -> list[tuple[str, str]]:
    if not rows:
        return []
    try:
        with version.file_of(rows[0].split).open("rb") as file:
            return [_text(file, row, version.dataset.method) for row in rows]
    except OSError:
        return [NOTHING] * len(rows)


def _text(file: BinaryIO, row: VersionRow, method: str) -> tuple[str, str]:
    file.seek(row.offset)
    data = file.readline(MOST_BYTES + 1).rstrip(b"\n")
    line = Line(row.line_number, row.offset + len(data), data)
    try:
        record = to_record(line, FROZEN_AS[method])
    except BadLine:  # only its beginning was read
        return NOTHING
    return question_and_answer(record, TEXT_LENGTH)
