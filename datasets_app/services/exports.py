"""Exports: rows of a dataset or of a version, streamed in the format asked for.

Nothing is built in memory or stored: a row is on its way as soon as it is read.
"""

import re
from collections.abc import Iterable, Iterator

from datasets_app.exports import FORMATS, DoesNotFit, Format, Row, Tally, row_of
from datasets_app.formats import open_rows, to_record
from datasets_app.formats.kinds import CHAT, DPO, RFT
from datasets_app.models import Dataset, DatasetVersion, Method
from datasets_app.services.row_stream import line_columns, rows_of
from datasets_app.services.selection import Selection

ROWS_LOOKED_AT = 1_000
CHARACTERS_LOOKED_AT = 4_000_000
# The format of a frozen file.
FROZEN_AS = {
    Method.SUPERVISED.value: CHAT,
    Method.DPO.value: DPO,
    Method.REINFORCEMENT.value: RFT,
}


def formats_for(dataset: Dataset) -> list[Format]:
    return [each for each in FORMATS.values() if dataset.method in each.methods]


def selected_rows(
    dataset: Dataset, selection: Selection, *, with_extra: bool = False
) -> Iterator[Row]:
    """The examples, always in the dataset's order: the same rows, the same bytes."""
    columns = line_columns(dataset)
    if with_extra and "extra_text" not in columns:
        columns = (*columns, "extra_text")
    return (Row(*values) for values in rows_of(selection.examples(dataset), *columns))


def frozen_rows(version: DatasetVersion, split: str) -> Iterator[Row]:
    """The rows of a version's file, as they were then."""
    method = version.dataset.method
    with version.file_of(split).open("rb") as file:
        for line in open_rows(file, format=FROZEN_AS[method]):
            yield row_of(to_record(line, FROZEN_AS[method]), method)


def what_fits(
    rows: Iterable[Row], formats: Iterable[Format]
) -> tuple[dict[str, Tally], bool]:
    """How many of the first rows each format can hold; were those all rows?"""
    tallies = {format: Tally() for format in formats}
    n_characters, are_all = 0, True
    for n, row in enumerate(rows):
        if n == ROWS_LOOKED_AT or n_characters > CHARACTERS_LOOKED_AT:
            are_all = False
            break
        n_characters += len(row.messages)
        for format, tally in tallies.items():
            _try(format, row, tally)
    return {format.key: tally for format, tally in tallies.items()}, are_all


def _try(format: Format, row: Row, tally: Tally) -> None:
    try:
        format.fit(row)
    except DoesNotFit as exc:
        tally.left_out[exc.reason] += 1
    else:
        tally.n_written += 1


def file_name(dataset: Dataset, *parts: str) -> str:
    """`card-game-v2.validation.jsonl`, in letters that every file system takes."""
    name = re.sub(r"[^\w-]+", "-", dataset.name).strip("-") or "dataset"
    return "".join((name, *parts))
