"""Takes the file of a multipart request straight to where it will stay."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.file_store import Draft

logger = logging.getLogger(__name__)

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class StoreIncoming(FileUploadHandler):
    """Writes one field to a draft; whatever other file is sent is skipped.

    A file that is too large is read to its end, but not kept: a client hears the answer
    only after it has sent everything.
    """

    def __init__(self, request: HttpRequest, *, field: str, max_bytes: int) -> None:
        super().__init__(request)
        self.field = field
        self.max_bytes = max_bytes
        self.draft: Draft | None = None
        self.is_complete = False
        self.is_too_large = False
        self.filename = ""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != self.field or self.draft is not None:
            raise SkipFile
        self.filename = self.file_name or ""
        self.draft = Draft()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.draft is None:
            return None
        if self.draft.n_bytes + len(raw_data) > self.max_bytes:
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


@contextmanager
def incoming(
    request: HttpRequest, *, field: str, max_bytes: int
) -> Iterator[StoreIncoming]:
    """The request's file, read by the time `request.POST` is; gone unless it is kept.

    Raises:
        ApiError: the form cannot be read, or the file finds no room.
    """
    store = StoreIncoming(request, field=field, max_bytes=max_bytes)
    request.upload_handlers = [store]
    try:
        with disk_errors():
            yield store
    except (MultiPartParserError, TooManyFieldsSent, TooManyFilesSent) as error:
        raise invalid(f"The form could not be read: {error}") from error
    finally:
        store.discard()


@contextmanager
def disk_errors() -> Iterator[None]:
    """Tells the client what is wrong with the server's disk.

    Raises:
        ApiError
    """
    try:
        yield
    except UnreadablePostError:
        raise
    except OSError as error:
        raise _not_stored(error) from error


def received(store: StoreIncoming) -> Draft:
    """The whole file that came.

    Raises:
        ApiError: none came, or an empty, too large or half one.
    """
    if store.is_too_large:
        raise ApiError(
            413,
            f"The {store.field} is larger than {store.max_bytes // 1024**2} MB."
            " Split it.",
            param=store.field,
        )
    if store.draft is None or not store.is_complete:
        raise invalid(
            f"Missing required parameter: '{store.field}', sent whole as"
            " multipart/form-data.",
            param=store.field,
            code="missing_required_parameter",
        )
    if not store.draft.n_bytes:
        raise invalid(f"The {store.field} is empty.", param=store.field)
    return store.draft


def _not_stored(error: OSError) -> ApiError:
    logger.error("An upload could not be stored: %s", error)
    if error.errno in NO_SPACE:
        return ApiError(
            507,
            "The server's disk is full, so the file was not stored; nothing of it is"
            " left. Free some space on the server, then upload again.",
            code="disk_full",
            should_retry=False,
        )
    return ApiError(
        500,
        f"The server could not write the file ({error.strerror}), so it was not stored."
        " Its operator must look at the disk.",
        code="disk_error",
        should_retry=False,
    )
