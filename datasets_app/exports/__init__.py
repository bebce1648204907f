"""Rows on their way out, in the formats that other people's tools read.

Pure: rows in, bytes out, a piece at a time.
"""

from datasets_app.exports.formats import FORMATS, Format, write
from datasets_app.exports.rows import DoesNotFit, Row, Tally, row_of

__all__ = ["FORMATS", "DoesNotFit", "Format", "Row", "Tally", "row_of", "write"]
