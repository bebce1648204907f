"""/v1/files: what a model is to learn from, and the tables of results."""

import errno
import logging
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.http import FileResponse, HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.timezone import now

from tuning_server_app import file_store, wire
from tuning_server_app.errors import ApiError, invalid, not_found
from tuning_server_app.file_store import Draft
from tuning_server_app.models import File, FilePurpose
from tuning_server_app.paging import cut_page, read_limit
from tuning_server_app.services import files
from tuning_server_app.views.endpoint import Endpoint, required
from tuning_server_app.views.uploads import MAX_BYTES, StoreUpload

logger = logging.getLogger(__name__)

MAX_LIMIT = 10_000
MAX_FILENAME = 255
NEWEST_FIRST = {"desc": True, "asc": False}
LIFE_SECONDS = range(3600, 2_592_000 + 1)
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class FileEndpoint(Endpoint):
    def find(self, file_id: str) -> File:
        """The organization's file.

        Raises:
            ApiError: it has none with this id.
        """
        file = files.files_of(self.organization).filter(wire_id=file_id).first()
        if file is None:
            raise not_found("File object", file_id)
        return file


class Files(FileEndpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        rows = files.files_of(self.organization)
        order = request.GET.get("order", "desc")
        if order not in NEWEST_FIRST:
            raise invalid(f"order must be asc or desc, not '{order}'.", param="order")
        purpose = request.GET.get("purpose")
        if purpose:
            rows = rows.filter(purpose=purpose)
        found, has_more = cut_page(
            rows,
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=MAX_LIMIT, largest=MAX_LIMIT),
            newest_first=NEWEST_FIRST[order],
        )
        return wire.page([wire.file(row) for row in found], has_more=has_more)

    def post(self, request: HttpRequest) -> dict[str, Any]:
        upload = StoreUpload(request)
        request.upload_handlers = [upload]
        try:
            return wire.file(self._store(request, upload))
        except (MultiPartParserError, TooManyFieldsSent, TooManyFilesSent) as error:
            raise invalid(f"The form could not be read: {error}") from error
        except UnreadablePostError:
            raise
        except OSError as error:
            raise _not_stored(error) from error
        finally:
            upload.discard()

    def _store(self, request: HttpRequest, upload: StoreUpload) -> File:
        form = request.POST
        draft = _received(upload)
        if required(form, "purpose") != FilePurpose.FINE_TUNE:
            raise invalid(
                "This server keeps files of the purpose 'fine-tune' only,"
                f" not '{form['purpose'][:50]}'.",
                param="purpose",
            )
        return files.store_file(
            organization=self.organization,
            purpose=FilePurpose.FINE_TUNE,
            filename=upload.filename[:MAX_FILENAME],
            draft=draft,
            expires_at=_expires_at(form),
        )


class OneFile(FileEndpoint):
    def get(self, request: HttpRequest, file_id: str) -> dict[str, Any]:
        return wire.file(self.find(file_id))

    def delete(self, request: HttpRequest, file_id: str) -> dict[str, Any]:
        files.delete_file(self.find(file_id))
        return wire.deleted(file_id, "file")


class FileContent(FileEndpoint):
    def get(self, request: HttpRequest, file_id: str) -> FileResponse:
        file = self.find(file_id)
        try:
            content = file_store.path_of(file.blob).open("rb")
        except FileNotFoundError as error:
            logger.exception("The bytes of %s are missing.", file)
            raise ApiError(
                404, f"The content of {file_id} is gone from the server's disk."
            ) from error
        return FileResponse(
            content,
            as_attachment=True,
            filename=file.filename,
            content_type="application/octet-stream",
        )


def _received(upload: StoreUpload) -> Draft:
    if upload.is_too_large:
        raise ApiError(
            413,
            f"The file is larger than {MAX_BYTES // 1024**2} MB. Split it.",
            param="file",
        )
    if upload.draft is None or not upload.is_complete:
        raise invalid(
            "Missing required parameter: 'file', sent whole as multipart/form-data.",
            param="file",
            code="missing_required_parameter",
        )
    if not upload.draft.n_bytes:
        raise invalid("The file is empty.", param="file")
    return upload.draft


def _expires_at(form: QueryDict) -> datetime | None:
    anchor, text = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and text is None:
        return None
    if anchor != "created_at":
        raise invalid(
            "expires_after[anchor] must be created_at.", param="expires_after.anchor"
        )
    seconds = str(text)[:9]
    if not (seconds.isascii() and seconds.isdigit() and int(seconds) in LIFE_SECONDS):
        raise invalid(
            f"expires_after[seconds] must be from {LIFE_SECONDS[0]} to"
            f" {LIFE_SECONDS[-1]}.",
            param="expires_after.seconds",
        )
    return now() + timedelta(seconds=int(seconds))


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
