"""From the bytes of an upload to its rows, in flat memory."""

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from datasets_app.formats import parquet
from datasets_app.formats.arrays import is_array, read_elements
from datasets_app.formats.kinds import CSV, PARQUET, TSV
from datasets_app.formats.streams import open_text
from datasets_app.formats.tables import read_table
from datasets_app.jsonl import Line, read_lines


def open_rows(
    file: BinaryIO, *, format: str, offset: int = 0, number: int = 0
) -> Iterator[Line]:
    """The rows after the first `number`, which end at `offset`. Raises BadFile.

    Plain lines go on at the offset; of every other file the first rows are read past,
    which takes time but no memory.

    Args:
        format: one of `kinds`.
    """
    if format == PARQUET:
        return parquet.read_rows(file, number=number)
    stream, head = open_text(file)
    if format in (CSV, TSV):
        is_tsv = format == TSV
        return read_table(stream, head, file.tell, is_tsv=is_tsv, number=number)
    if is_array(head):
        return read_elements(stream, file.tell, number=number)
    if stream is file:
        return read_lines(file, offset=offset, number=number)
    return _lines_behind(stream, file, number)


def _lines_behind(stream: BinaryIO, file: BinaryIO, number: int) -> Iterator[Line]:
    for line in read_lines(stream):
        if line.number > number:
            yield replace(line, end=file.tell(), start=None)
