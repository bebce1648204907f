"""Takes the file of a multipart request straight to where it will stay."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from tuning_server_app.file_store import Draft

FIELD = "file"
MAX_BYTES = 512 * 1024 * 1024


class StoreUpload(FileUploadHandler):
    """Writes the field `file` to a draft; whatever other file is sent is skipped.

    A file that is too large is read to its end, but not kept: a client hears the answer
    only after it has sent everything.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.draft: Draft | None = None
        self.is_complete = False
        self.is_too_large = False
        self.filename = ""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self.draft is not None:
            raise SkipFile
        self.filename = self.file_name or ""
        self.draft = Draft()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.draft is None:
            return None
        if self.draft.n_bytes + len(raw_data) > MAX_BYTES:
            self.is_too_large = True
            raise StopUpload(connection_reset=False)
        self.draft.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> None:
        self.is_complete = True

    def discard(self) -> None:
        """Remove what was written, unless it was kept."""
        if self.draft is not None:
            self.draft.discard()
