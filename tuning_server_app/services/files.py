"""Files that clients upload, and those the server makes for them."""

import logging
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from tuning_server_app import file_store
from tuning_server_app.models import File, FilePurpose, Organization
from tuning_server_app.services.quota import keep_within_quota

logger = logging.getLogger(__name__)


def files_of(organization: Organization) -> QuerySet[File]:
    """The files that the organization can see: its own that have not expired."""
    lasting = Q(expires_at=None) | Q(expires_at__gt=now())
    return File.objects.filter(lasting, organization=organization)


def store_file(
    *,
    organization: Organization,
    purpose: FilePurpose,
    filename: str,
    draft: file_store.Draft,
    life_seconds: int | None = None,
) -> File:
    """Keep what was written to the draft: the row and the bytes, or neither.

    Raises:
        ApiError: a client's file, for which its organization has no room left.
        OSError: the disk is full or broken.
    """
    draft.keep()
    try:
        with transaction.atomic():
            if purpose == FilePurpose.FINE_TUNE:
                keep_within_quota(organization, draft.n_bytes)
            return record_file(
                organization=organization,
                purpose=purpose,
                filename=filename,
                draft=draft,
                life_seconds=life_seconds,
            )
    except BaseException:  # Ctrl-C, too, leaves no file without a row
        file_store.remove(draft.blob)
        raise


def record_file(
    *,
    organization: Organization,
    purpose: FilePurpose,
    filename: str,
    draft: file_store.Draft,
    life_seconds: int | None = None,
) -> File:
    """The row alone, of a draft that is kept already."""
    return File.objects.create(
        organization=organization,
        purpose=purpose,
        filename=filename,
        blob=draft.blob,
        n_bytes=draft.n_bytes,
        sha256=draft.sha256,
        expires_at=None
        if life_seconds is None
        else now() + timedelta(seconds=life_seconds),
    )


def delete_file(file: File) -> None:
    """Forget the file. Jobs that ran with it go on naming it."""
    with transaction.atomic():
        # Weights may have been made since the row was read: they have another blob.
        row = File.objects.select_for_update().filter(pk=file.pk)
        for blob in list(row.values_list("blob", flat=True)):
            transaction.on_commit(partial(file_store.remove, blob))
        file.delete()


def delete_expired_files() -> None:
    for file in File.objects.filter(expires_at__lte=now()):
        delete_file(file)
