"""Files of any kind on their way in: `open_rows` cuts them into rows, `to_record` turns
a row into a record as we keep it, `method_of` says what such rows teach.

Pure: bytes in, dictionaries out.
"""

from datasets_app.formats.converting import to_record
from datasets_app.formats.kinds import method_of
from datasets_app.formats.reading import open_rows

__all__ = ["method_of", "open_rows", "to_record"]
