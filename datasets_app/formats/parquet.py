"""Parquet, in record batches."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

import orjson

from datasets_app.jsonl import BadFile, Line, Problem

ROWS_AT_ONCE = 128
MAX_COLUMNS = 1_000
# As of gzip: what shrinks like this was made to fill a memory.
MAX_RATIO = 500
RATIO_COUNTS_FROM = 1024**3


def read_rows(file: BinaryIO, *, number: int = 0) -> Iterator[Line]:
    """The rows after the first `number`, each as a JSON object. Raises BadFile."""
    with _told_as_bad_file():
        parquet = _open(file)
        n_rows, n_bytes = parquet.metadata.num_rows, _size(file)
        n = 0
        batches = parquet.iter_batches(ROWS_AT_ONCE, use_threads=False)
        for batch in batches:
            if n + batch.num_rows <= number:
                n += batch.num_rows
                continue
            for data, problem in _rows_of(batch):
                n += 1
                if n > number:
                    yield Line(n, n_bytes * n // n_rows, data, problem=problem)


def column_names(file: BinaryIO) -> list[str]:
    """Raises BadFile."""
    with _told_as_bad_file():
        return list(_open(file).schema_arrow.names)


def _open(file: BinaryIO) -> Any:
    # Not at the top: the site's first page need not wait for it.
    parquet = import_module("pyarrow.parquet").ParquetFile(
        getattr(file, "file", file), pre_buffer=False, buffer_size=1024 * 1024
    )
    names = parquet.schema_arrow.names
    if len(names) > MAX_COLUMNS:
        raise BadFile("too_many_columns", found=len(names), limit=MAX_COLUMNS)
    groups = range(parquet.metadata.num_row_groups)
    unpacked = sum(parquet.metadata.row_group(n).total_byte_size for n in groups)
    if unpacked > max(RATIO_COUNTS_FROM, MAX_RATIO * _size(file)):
        raise BadFile("gzip_bomb", ratio=MAX_RATIO)
    return parquet


@contextmanager
def _told_as_bad_file() -> Iterator[None]:
    errors = import_module("pyarrow").ArrowException, OSError, ValueError
    try:
        yield
    except errors as exc:
        raise BadFile("parquet_broken", detail=str(exc)[:200]) from exc


def _size(file: BinaryIO) -> int:
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size


def _rows_of(batch: Any) -> Iterator[tuple[bytes, Problem | None]]:
    for n in range(batch.num_rows):
        try:
            (row,) = batch.slice(n, 1).to_pylist()
        except UnicodeDecodeError as exc:
            yield b"", Problem("not_utf8", params={"byte": exc.start + 1})
        else:
            yield orjson.dumps(_without_nulls(row), _as_text), None


def _without_nulls(value: Any) -> Any:
    """A table names every key in every row; what has no value says nothing."""
    if isinstance(value, dict):
        return {
            key: _without_nulls(each) for key, each in value.items() if each is not None
        }
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
