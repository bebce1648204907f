"""A large file sent in parts: each on the disk as it comes, put together at the end."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.timezone import now

from tuning_server_app import file_store
from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.file_store import Draft
from tuning_server_app.models import (
    FilePurpose,
    Organization,
    Upload,
    UploadPart,
    UploadStatus,
)
from tuning_server_app.services.files import record_file
from tuning_server_app.services.quota import keep_within_quota

LIFE = timedelta(hours=1)
MAX_PARTS = 10_000
# A part whose answer got lost is sent again, so more may lie here than is announced.
STORED_PER_ANNOUNCED = 2


def uploads_of(organization: Organization) -> QuerySet[Upload]:
    return Upload.objects.filter(organization=organization).select_related("file")


def begin_upload(
    *,
    organization: Organization,
    filename: str,
    n_bytes: int,
    file_life_seconds: int | None,
) -> Upload:
    """Raises ApiError: there will be no room for it."""
    with transaction.atomic():
        keep_within_quota(organization, n_bytes)
        return Upload.objects.create(
            organization=organization,
            purpose=FilePurpose.FINE_TUNE,
            filename=filename,
            n_bytes=n_bytes,
            file_life_seconds=file_life_seconds,
            expires_at=now() + LIFE,
        )


def add_part(upload: Upload, draft: Draft) -> UploadPart:
    """Keep a part: its row and its bytes, or neither.

    Raises:
        ApiError: the upload is not pending, has more parts than it can need, or its
            organization has no room left.
        OSError: the disk is full or broken.
    """
    draft.keep()
    try:
        with transaction.atomic():
            locked = Upload.objects.select_for_update().get(pk=upload.pk)
            require_pending(locked)
            _refuse_hoarding(locked, draft.n_bytes)
            keep_within_quota(locked.organization, draft.n_bytes)
            return upload.parts.create(blob=draft.blob, n_bytes=draft.n_bytes)
    except BaseException:  # Ctrl-C, too, leaves no part without a row
        file_store.remove(draft.blob)
        raise


def complete_upload(upload: Upload, part_ids: list[str], md5: str | None) -> None:
    """Make one file of the parts, in the order of their ids.

    Raises:
        ApiError: the upload is not pending, a part is unknown, or the whole is not
            what was announced. It stays as it was, so the client may try again.
        OSError: the disk is full or broken.
    """
    require_pending(upload)
    parts = _in_order(upload, part_ids)
    draft = Draft()
    try:
        _check_digest(_join(draft, parts), md5)
        draft.keep()  # before the transaction: gigabytes take a while
        with transaction.atomic():
            file = record_file(
                organization=upload.organization,
                purpose=FilePurpose.FINE_TUNE,
                filename=upload.filename,
                draft=draft,
                life_seconds=upload.file_life_seconds,
            )
            if not _end(upload, UploadStatus.COMPLETED, file=file):
                raise _not_pending(upload)
    except FileNotFoundError:
        _forget(draft)
        upload.refresh_from_db()
        require_pending(upload)  # another request ended it: its parts went with that
        raise
    except BaseException:  # Ctrl-C, too, leaves no file without a row
        _forget(draft)
        raise


def cancel_upload(upload: Upload) -> None:
    """Raises ApiError unless the upload was pending."""
    require_pending(upload)
    if not _end(upload, UploadStatus.CANCELLED):
        raise _not_pending(upload)


def expire_uploads() -> None:
    """Free the disk of what nobody completed in time."""
    for upload in Upload.objects.filter(
        status=UploadStatus.PENDING, expires_at__lte=now()
    ):
        _end(upload, UploadStatus.EXPIRED)


def require_pending(upload: Upload) -> None:
    """Raises ApiError: what may be done to an upload is possible while it is open."""
    if upload.status != UploadStatus.PENDING or upload.expires_at <= now():
        raise _not_pending(upload)


def _end(upload: Upload, status: UploadStatus, **fields: object) -> bool:
    """Leave `pending`, unless another process ended the upload first."""
    with transaction.atomic():
        pending = Upload.objects.filter(pk=upload.pk, status=UploadStatus.PENDING)
        if not pending.update(status=status, **fields):
            upload.refresh_from_db()
            return False
        for blob in upload.parts.values_list("blob", flat=True):
            transaction.on_commit(partial(file_store.remove, blob))
        upload.parts.all().delete()
    upload.refresh_from_db()
    return True


def _not_pending(upload: Upload) -> ApiError:
    is_late = upload.status == UploadStatus.PENDING
    status = UploadStatus.EXPIRED if is_late else upload.status
    return invalid(
        f"Upload {upload.wire_id} is {status}. Only a pending upload takes parts, is"
        " completed or cancelled: begin a new one with POST /v1/uploads.",
        code="upload_not_pending",
    )


def _refuse_hoarding(upload: Upload, n_bytes: int) -> None:
    stored = upload.parts.aggregate(bytes=Sum("n_bytes", default=0))["bytes"]
    if stored + n_bytes > STORED_PER_ANNOUNCED * upload.n_bytes:
        raise invalid(
            f"The parts of {upload.wire_id} are far larger than the {upload.n_bytes}"
            " bytes that were announced. Begin a new upload with the right number.",
            param="data",
        )
    if upload.parts.count() >= MAX_PARTS:
        raise invalid(
            f"An upload has at most {MAX_PARTS} parts. Send larger ones: up to 64 MB.",
            param="data",
        )


def _in_order(upload: Upload, part_ids: list[str]) -> list[UploadPart]:
    known = {part.wire_id: part for part in upload.parts.all()}
    for part_id in part_ids:
        if part_id not in known:
            raise invalid(
                f"part_ids: {upload.wire_id} has no part {part_id[:50]}.",
                param="part_ids",
            )
    parts = [known[part_id] for part_id in part_ids]
    n_bytes = sum(part.n_bytes for part in parts)
    if n_bytes != upload.n_bytes:
        raise invalid(
            f"The parts have {n_bytes} bytes together, but {upload.n_bytes} were"
            " announced as 'bytes'. Name every part once, or begin a new upload.",
            param="part_ids",
        )
    return parts


def _forget(draft: Draft) -> None:
    draft.discard()
    file_store.remove(draft.blob)


def _join(draft: Draft, parts: Iterable[UploadPart]) -> str:
    """The MD5 of the whole, in hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        for piece in draft.append(part.blob):
            digest.update(piece)
    return digest.hexdigest()


def _check_digest(found: str, announced: str | None) -> None:
    if announced is not None and found != announced.lower():
        raise invalid(
            f"The parts together have the MD5 {found}, not {announced}. Check"
            " their order, or begin a new upload.",
            param="md5",
            code="checksum_mismatch",
        )
