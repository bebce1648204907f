"""Files of any kind on their way in: `recognise` says what a file is, `open_rows` cuts
it into rows, `to_record` turns a row into a record as we keep it, `method_of` says what
such rows teach.

Pure: bytes in, dictionaries out. A file is never whole in memory.
"""

from datasets_app.formats.columns import ROLES, guess_mapping
from datasets_app.formats.converting import convert, parse_row, to_record
from datasets_app.formats.kinds import ROW_KINDS, TABLES, method_of
from datasets_app.formats.reading import open_rows
from datasets_app.formats.recognising import Recognised, first_lines, recognise

__all__ = [
    "ROLES",
    "ROW_KINDS",
    "TABLES",
    "Recognised",
    "convert",
    "first_lines",
    "guess_mapping",
    "method_of",
    "open_rows",
    "parse_row",
    "recognise",
    "to_record",
]
