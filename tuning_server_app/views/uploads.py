"""/v1/uploads: a large file in parts."""

from typing import Any

from django.http import HttpRequest

from tuning_server_app import wire
from tuning_server_app.errors import not_found, refuse_unknown
from tuning_server_app.models import Upload, UploadPart
from tuning_server_app.services import uploads
from tuning_server_app.upload_request import parse_completion, parse_upload_request
from tuning_server_app.views.endpoint import Endpoint, is_retry, read_json
from tuning_server_app.views.incoming import (
    StoreIncoming,
    disk_errors,
    incoming,
    received,
)

MAX_PART_BYTES = 64 * 1024 * 1024


class UploadEndpoint(Endpoint):
    def find(self, upload_id: str) -> Upload:
        """The organization's upload.

        Raises:
            ApiError: it has none with this id.
        """
        rows = uploads.uploads_of(self.organization)
        upload = rows.filter(wire_id=upload_id).first()
        if upload is None:
            raise not_found("upload", upload_id)
        return upload


class Uploads(Endpoint):
    def post(self, request: HttpRequest) -> dict[str, Any]:
        asked = parse_upload_request(read_json(request))
        upload = uploads.begin_upload(organization=self.organization, **vars(asked))
        return wire.upload(upload)


class Parts(UploadEndpoint):
    def post(self, request: HttpRequest, upload_id: str) -> dict[str, Any]:
        upload = self.find(upload_id)
        uploads.require_pending(upload)
        with incoming(request, field="data", max_bytes=MAX_PART_BYTES) as store:
            return wire.upload_part(self._keep(request, upload, store))

    def _keep(
        self, request: HttpRequest, upload: Upload, store: StoreIncoming
    ) -> UploadPart:
        refuse_unknown(request.POST, ())  # reading the form brings the part in
        return uploads.add_part(upload, received(store))


class CompleteUpload(UploadEndpoint):
    def post(self, request: HttpRequest, upload_id: str) -> dict[str, Any]:
        upload = self.find(upload_id)
        part_ids, md5 = parse_completion(read_json(request))
        if not (is_retry(request) and upload.file is not None):
            with disk_errors():
                uploads.complete_upload(upload, part_ids, md5)
        return wire.upload(upload)


class CancelUpload(UploadEndpoint):
    def post(self, request: HttpRequest, upload_id: str) -> dict[str, Any]:
        upload = self.find(upload_id)
        uploads.cancel_upload(upload)
        return wire.upload(upload)
