"""The figures in a provider's result file, whichever dialect it is written in.

OpenAI sends the CSV in base64, Azure as it is and with names of its own; both leave
cells empty, and older files write −1 for “none”. Pure: bytes in, points out.
"""

import base64
import binascii
import codecs
import csv
import math
from collections.abc import Iterator
from typing import Any

# Other names of the same column.
NAMES = {
    "train_accuracy": "train_mean_token_accuracy",
    "training_loss": "train_loss",
    "training_accuracy": "train_mean_token_accuracy",
    "training_token_accuracy": "train_mean_token_accuracy",
    "valid_accuracy": "valid_mean_token_accuracy",
}
STEP = "step"
NONE = -1.0
DELIMITERS = ",;\t"
MOST_POINTS = 100_000
MOST_COLUMNS = 40
LONGEST_NAME = 60
LONGEST_STEP = 2**31


def points_of(content: bytes) -> list[dict[str, Any]]:
    """One dict a step, in order; [] where nothing can be understood.

    A step that has several rows is one point: what they say comes together.
    """
    points: dict[int, dict[str, Any]] = {}
    for figures in _rows(_text(content)):
        step = figures.pop(STEP, math.nan)
        if len(points) < MOST_POINTS and step.is_integer() and 0 <= step < LONGEST_STEP:
            points.setdefault(int(step), {STEP: int(step)}).update(figures)
    return [points[step] for step in sorted(points)]


def _text(content: bytes) -> str:
    """Without BOM, and out of base64 where it is in it."""
    content = content.strip()
    first_line = content.split(b"\n", 1)[0]
    if not any(mark.encode() in first_line for mark in DELIMITERS):
        content = _out_of_base64(content) or content
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def _out_of_base64(content: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return b""


def _rows(text: str) -> Iterator[dict[str, float]]:
    """The numbers of each row under the names we use; nothing without a step."""
    lines = text.replace("\0", "").splitlines()
    header = lines[0] if lines else ""
    delimiter = max(DELIMITERS, key=header.count)
    try:
        table = csv.reader(lines, delimiter=delimiter)
        names = [_name(cell) for cell in next(table, [])][:MOST_COLUMNS]
        for row in table:
            cells = zip(names, map(_number, row), strict=False)
            yield {name: value for name, value in cells if name and value is not None}
    except csv.Error:  # a cell without end: what came before it is kept
        return


def _name(cell: str) -> str:
    name = cell.strip().lower()[:LONGEST_NAME].replace(" ", "_")
    name = name.replace("validation_", "valid_")
    return NAMES.get(name, name)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:  # empty, or no number
        return None
    return value if math.isfinite(value) and value != NONE else None
