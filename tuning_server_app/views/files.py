"""/v1/files: what a model is to learn from, the tables of results, and the weights."""

import logging
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase

from tuning_server_app import file_store, tasks, wire
from tuning_server_app.errors import ApiError, not_found
from tuning_server_app.file_request import MAX_FILENAME, parse_file_form
from tuning_server_app.models import Export, ExportKind, File, FilePurpose
from tuning_server_app.paging import cut_page, read_limit, read_order
from tuning_server_app.services import exports, files
from tuning_server_app.views.endpoint import Endpoint, error_response, required
from tuning_server_app.views.incoming import StoreIncoming, incoming, received

logger = logging.getLogger(__name__)

MAX_LIMIT = 10_000
MAX_BYTES = 512 * 1024 * 1024
NEWEST_FIRST = {"desc": True, "asc": False}


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
        purpose = request.GET.get("purpose")
        if purpose:
            rows = rows.filter(purpose=purpose)
        found, has_more = cut_page(
            rows,
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=MAX_LIMIT, largest=MAX_LIMIT),
            newest_first=read_order(request.GET, NEWEST_FIRST, default="desc"),
        )
        return wire.page([wire.file(row) for row in found], has_more=has_more)

    def post(self, request: HttpRequest) -> dict[str, Any]:
        with incoming(request, field="file", max_bytes=MAX_BYTES) as upload:
            return wire.file(self._store(request.POST, upload))

    def _store(self, form: QueryDict, upload: StoreIncoming) -> File:
        draft = received(upload)
        required(form, "purpose")
        life = parse_file_form(form.dict())
        return files.store_file(
            organization=self.organization,
            purpose=FilePurpose.FINE_TUNE,
            filename=upload.filename[:MAX_FILENAME],
            draft=draft,
            life_seconds=life,
        )


class OneFile(FileEndpoint):
    def get(self, request: HttpRequest, file_id: str) -> dict[str, Any]:
        return wire.file(self.find(file_id))

    def delete(self, request: HttpRequest, file_id: str) -> dict[str, Any]:
        files.delete_file(self.find(file_id))
        return wire.deleted(file_id, "file")


class FileContent(FileEndpoint):
    def get(self, request: HttpRequest, file_id: str) -> HttpResponseBase:
        file = self.find(file_id)
        export = exports.ask_for(file)
        if export is not None:
            return _in_a_moment(export)
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


def _in_a_moment(export: Export) -> HttpResponse:
    tasks.make_export.delay_on_commit(export.pk)
    response = error_response(exports.not_yet(export))
    response["Retry-After"] = str(exports.RETRY_SECONDS[ExportKind(export.kind)])
    return response
