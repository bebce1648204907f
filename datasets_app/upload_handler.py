"""Uploads onto a full disk end in a message on the form, not in a server error."""

from typing import Any, NoReturn

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    SkipFile,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest


class RoomAwareUploadHandler(TemporaryFileUploadHandler):
    """Django's own, but an error of the disk ends the upload and is remembered.

    The rest of the request is read past, so that the browser shows the answer. What a
    stranger sends is read past, too: the check of the form's token reads the whole
    body before any page asks who it is, and would let anybody fill the disk.
    """

    request: Any

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if not self.request.user.is_authenticated:
            raise SkipFile
        try:
            super().new_file(*args, **kwargs)
        except OSError as exc:
            self._stop(exc)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as exc:
            self._stop(exc)
        return None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        try:
            return super().file_complete(file_size)
        except OSError as exc:
            self._stop(exc)

    def _stop(self, error: OSError) -> NoReturn:
        self.request.upload_error = error
        raise StopUpload(connection_reset=False) from error


def upload_error(request: HttpRequest) -> OSError | None:
    return getattr(request, "upload_error", None)
