"""Files of any kind on their way in: `recognise` says what a file is, `open_rows` cuts
it into rows, `to_record` turns a row into a record as we keep it, `method_of` says what
such rows teach.

Pure: bytes in, dictionaries out. A file is never whole in memory.
"""

from datasets_app.formats.beside import BESIDE
from datasets_app.formats.columns import ROLES, guess_mapping, reads_columns
from datasets_app.formats.converting import convert, parse_row, tags_of, to_record
from datasets_app.formats.kinds import CHAT, PARQUET, RFT, ROW_KINDS, TABLES, method_of
from datasets_app.formats.reading import open_rows
from datasets_app.formats.recognising import (
    Recognised,
    column_names,
    first_lines,
    recognise,
)

__all__ = [
    "BESIDE",
    "CHAT",
    "PARQUET",
    "RFT",
    "ROLES",
    "ROW_KINDS",
    "TABLES",
    "Recognised",
    "column_names",
    "convert",
    "first_lines",
    "guess_mapping",
    "method_of",
    "open_rows",
    "parse_row",
    "reads_columns",
    "recognise",
    "tags_of",
    "to_record",
]
