"""Parquet, in record batches."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

import orjson

from datasets_app.formats.parquet_sizes import MAX_ELEMENTS, rows_with_sizes
from datasets_app.image_checks import data_url_of
from datasets_app.jsonl import MAX_LINE_BYTES, BadFile, Line, Problem

ROWS_AT_ONCE = 128
MAX_COLUMNS = 1_000
# As of gzip: what shrinks like this was made to fill a memory.
MAX_RATIO = 500
RATIO_COUNTS_FROM = 1024**3
LIMIT_MB = MAX_LINE_BYTES // 1024**2


def read_rows(file: BinaryIO, *, number: int = 0) -> Iterator[Line]:
    """The rows after the first `number`, each as a JSON object. Raises BadFile."""
    with _told_as_bad_file():
        parquet = _open(file)
        n_rows, n_bytes = parquet.metadata.num_rows, _size(file)
        n = 0
        for batch in _batches(parquet):
            if n + batch.num_rows <= number:
                n += batch.num_rows
                continue
            for data, problem in _rows_of(batch):
                n += 1
                if n > number:
                    yield Line(n, n_bytes * n // n_rows, data, problem=problem)


def _batches(parquet: Any) -> Iterator[Any]:
    """Each of one row group: values of two have different dictionaries."""
    for group in range(parquet.metadata.num_row_groups):
        yield from parquet.iter_batches(
            ROWS_AT_ONCE, row_groups=[group], use_threads=False
        )


def column_names(file: BinaryIO) -> list[str]:
    """Raises BadFile."""
    with _told_as_bad_file():
        return list(_open(file).schema_arrow.names)


def _open(file: BinaryIO) -> Any:
    # Not at the top: the site's first page need not wait for it.
    module = import_module("pyarrow.parquet")
    source = getattr(file, "file", file)
    metadata = module.read_metadata(source)
    _refuse_bombs(metadata, _size(file))
    # A value that many rows share stays one value until a row is asked for.
    paths = [metadata.schema.column(n).path for n in range(metadata.num_columns)]
    return module.ParquetFile(
        source,
        metadata=metadata,
        read_dictionary=paths,
        pre_buffer=False,
        buffer_size=1024 * 1024,
    )


def _refuse_bombs(metadata: Any, n_bytes: int) -> None:
    if metadata.num_columns > MAX_COLUMNS:
        found = metadata.num_columns
        raise BadFile("too_many_columns", found=found, limit=MAX_COLUMNS)
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    is_bomb = unpacked > max(RATIO_COUNTS_FROM, MAX_RATIO * n_bytes)
    if is_bomb or any(_has_huge_lists(group) for group in groups):
        raise BadFile("gzip_bomb", ratio=MAX_RATIO)


def _has_huge_lists(group: Any) -> bool:
    """All elements of one row are in memory at once, however small they are packed."""
    columns = (group.column(n) for n in range(group.num_columns))
    return any(each.num_values - group.num_rows > MAX_ELEMENTS for each in columns)


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
    for rows, size in rows_with_sizes(batch):
        if size > MAX_LINE_BYTES:
            yield b"", Problem("row_too_long", params={"limit_mb": LIMIT_MB})
            continue
        try:
            (row,) = rows.to_pylist()
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
        return data_url_of(value) or base64.b64encode(value).decode()
    return str(value)
