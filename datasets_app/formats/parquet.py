"""Parquet, in record batches."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

import orjson

from datasets_app.formats.parquet_pages import BrokenPages, Page, pages_of
from datasets_app.formats.parquet_sizes import MAX_ELEMENTS, rows_with_sizes
from datasets_app.image_checks import data_url_of
from datasets_app.jsonl import MAX_LINE_BYTES, BadFile, Line, Problem

ROWS_AT_ONCE = 128
MAX_COLUMNS = 1_000
# As of gzip: what shrinks like this was made to fill a memory.
MAX_RATIO = 500
RATIO_COUNTS_FROM = 1024**3
LIMIT_MB = MAX_LINE_BYTES // 1024**2
DELTAS = {"DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"}
MAX_PAGE_BYTES = 256 * 1024**2  # a page is unpacked as a whole


def read_rows(file: BinaryIO, *, number: int = 0) -> Iterator[Line]:
    """The rows after the first `number`, each as a JSON object. Raises BadFile."""
    with _told_as_bad_file():
        parquet = _open(file)
        n_rows, n_bytes = max(1, parquet.metadata.num_rows), _size(file)
        n = 0
        for batch in _batches(parquet):
            if n + batch.num_rows <= number:
                n += batch.num_rows
                continue
            for data, problem in _rows_of(batch):
                n += 1
                if n > number:
                    end = n_bytes * min(n, n_rows) // n_rows
                    yield Line(n, end, data, problem=problem)


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
    _refuse_bombs(source, metadata, _size(file))
    return module.ParquetFile(
        source,
        metadata=metadata,
        read_dictionary=_with_shared_values(metadata),
        pre_buffer=False,
        buffer_size=1024 * 1024,
    )


def _with_shared_values(metadata: Any) -> list[str]:
    """A value that many rows share stays one value until a row is asked for.

    Not in columns of deltas, which pyarrow cannot read so.
    """
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    return [
        metadata.schema.column(n).path
        for n in range(metadata.num_columns)
        if not any(DELTAS & {*group.column(n).encodings} for group in groups)
    ]


def _refuse_bombs(file: BinaryIO, metadata: Any, n_bytes: int) -> None:
    if metadata.num_columns > MAX_COLUMNS:
        found = metadata.num_columns
        raise BadFile("too_many_columns", found=found, limit=MAX_COLUMNS)
    n_unpacked = 0
    for n in range(metadata.num_row_groups):
        group = metadata.row_group(n)
        for k in range(metadata.num_columns):
            is_list = metadata.schema.column(k).max_repetition_level > 0
            n_unpacked += _checked(file, group.column(k), group.num_rows, is_list)
            if n_unpacked > max(RATIO_COUNTS_FROM, MAX_RATIO * n_bytes):
                raise BadFile("gzip_bomb", ratio=MAX_RATIO)


def _checked(file: BinaryIO, column: Any, n_rows: int, is_list: bool) -> int:
    """The bytes that the column's pages unpack to. Raises BadFile."""
    n_bytes = n_values = 0
    for page in pages_of(file, column):
        n_bytes += page.n_bytes
        n_values += page.n_values
        if _at_once(page, is_list) > MAX_PAGE_BYTES:
            limit_mb = MAX_PAGE_BYTES // 1024**2
            raise BadFile("parquet_page_too_big", limit_mb=limit_mb)
        # All elements of one row are in memory at once, however small they are packed.
        if n_values - min(n_rows, MAX_ELEMENTS) > MAX_ELEMENTS:
            raise BadFile("gzip_bomb", ratio=MAX_RATIO)
    return n_bytes


def _at_once(page: Page, is_list: bool) -> int:
    """How much of the page's values is in memory at a time."""
    n_values = page.n_values if is_list else min(page.n_values, ROWS_AT_ONCE)
    return page.n_bytes * (max(1, n_values) if page.is_delta else 1)


@contextmanager
def _told_as_bad_file() -> Iterator[None]:
    errors = import_module("pyarrow").ArrowException, OSError, ValueError
    try:
        yield
    except (*errors, BrokenPages) as exc:
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
