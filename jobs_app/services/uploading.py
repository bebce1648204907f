"""Bring a version's file to a provider, once, whatever dies on the way.

The row is written before the first byte leaves. Who comes after a crash finds the file
at the provider by its name, size and purpose: the name carries the content's hash.
"""

import codecs
import logging
import time
from datetime import timedelta
from pathlib import Path

from django.db.models import F, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import Split
from jobs_app.models import FineTuningJob, JobStatus, Provider, RemoteFile
from jobs_app.providers import (
    Ability,
    OutgoingFile,
    ProviderClient,
    ProviderError,
    ProviderRejected,
    is_able,
    profile_of,
)
from jobs_app.services.parts import send_in_parts
from jobs_app.services.waiting import NotYet

log = logging.getLogger(__name__)

# After so long a provider lists every file that it has.
LOOK_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 5.0
# A file that takes longer is looked at again later; others need the worker.
PROCESSING_WAIT_SECONDS = 20.0
PROCESSING_CHECK_SECONDS = 1.0
PROCESSING_AGAIN_SECONDS = 15.0
# What the contract lets a file have that is sent in parts.
CONTRACT_UPLOAD_BYTES = 8 * 1024**3
UNUSABLE = {"error", "deleted"}
NO_LIST = {404, 405, 501}


class FileRefused(Exception):
    """The provider cannot use the file; `param` says which of the two."""

    code = "invalid_file_format"

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


def uploaded(client: ProviderClient, job: FineTuningJob, split: Split) -> str:
    """The id of the version's file at the provider, which gets each file once.

    Raises:
        NotYet: another job sends it, or it may have arrived; look again later.
    """
    row, _is_new = RemoteFile.objects.get_or_create(
        provider=job.provider, dataset_version=job.dataset_version, split=split
    )
    gone = ""
    if row.remote_id:
        status = client.file_status(row.remote_id)
        if status is not None and status[0] not in UNUSABLE:
            return row.remote_id
        gone = row.remote_id
        _forget(row)
    _claim_sending(row, job)
    file = outgoing(job, split)
    remote_id = _find(client, file, row, gone) or _send(client, row, file)
    sent = {"sender": None, "sending_since": None, "upload_id": ""}
    if _still_sending(row, job).update(remote_id=remote_id, **sent):
        row.parts.all().delete()
    return remote_id


def outgoing(job: FineTuningJob, split: Split) -> OutgoingFile:
    version, profile = job.dataset_version, profile_of(job.provider)
    path = Path(version.file_of(split).path)
    _check_file(path)
    file = OutgoingFile(
        path=path,
        name=file_name(version.number, split, version.sha256_of(split)),
        part_bytes=profile.max_part_bytes,
        prefix=codecs.BOM_UTF8 if profile.files_begin_with_bom else b"",
    )
    most = max(profile.max_file_bytes, _most_in_parts(job.provider))
    if file.n_bytes > most:
        raise FileRefused(_too_large(job, file.n_bytes, most), split)
    return file


def _most_in_parts(provider: Provider) -> int:
    """0 where a check found, or the kind's makers say, that there is no such way."""
    if not is_able(provider, Ability.UPLOADS):
        return 0
    return profile_of(provider).max_upload_bytes or CONTRACT_UPLOAD_BYTES


def file_name(number: int, split: str, sha256: str) -> str:
    """One name for each content, by which it is found again."""
    return f"dataset-v{number}-{split}-{sha256[:16]}.jsonl"


def _forget(row: RemoteFile) -> None:
    """What lies at the provider is of no use any more."""
    RemoteFile.objects.filter(pk=row.pk, remote_id=row.remote_id).update(
        remote_id="", sent_at=None, upload_id=""
    )
    row.refresh_from_db()


def _claim_sending(row: RemoteFile, job: FineTuningJob) -> None:
    """Of two submissions of one version only one sends the file."""
    unmoved = RemoteFile.objects.filter(
        pk=row.pk,
        remote_id="",
        sender=row.sender_id,
        sending_since=row.sending_since,
    )
    mine = {"sender": job, "sending_since": job.status_changed_at}
    if _is_being_sent(row) or not unmoved.update(**mine):
        raise NotYet(
            _("Another job uploads the same file to %(provider)s; this one uses it.")
            % {"provider": job.provider},
            LOOK_AGAIN_SECONDS,
        )
    row.refresh_from_db()


def _is_being_sent(row: RemoteFile) -> bool:
    """By a submission before this one, whose claim still stands."""
    return RemoteFile.objects.filter(
        pk=row.pk,
        sender__status=JobStatus.SUBMITTING,
        sender__status_changed_at=F("sending_since"),
    ).exists()


def _still_sending(row: RemoteFile, job: FineTuningJob) -> QuerySet[RemoteFile]:
    return RemoteFile.objects.filter(
        pk=row.pk, sender=job, sending_since=job.status_changed_at
    )


def _find(
    client: ProviderClient, file: OutgoingFile, row: RemoteFile, gone: str
) -> str | None:
    """The file's id if it is there already. `gone`: known not to be, though listed.

    Raises:
        NotYet: it may have arrived a moment ago, and is not listed yet.
    """
    try:
        for stored in client.files():
            is_it = stored.name == file.name and stored.n_bytes in {None, file.n_bytes}
            if is_it and stored.id != gone and stored.status not in UNUSABLE:
                return stored.id
    except ProviderRejected as exc:
        if exc.status not in NO_LIST:
            raise
        return None  # a second upload costs nothing but its place
    if row.sent_at and now() < row.sent_at + timedelta(seconds=LOOK_SECONDS):
        raise NotYet(
            _(
                "%(provider)s may have the file, but its answer was lost: it is looked "
                "for there."
            )
            % {"provider": client.provider},
            LOOK_AGAIN_SECONDS,
        )
    return None


def _send(client: ProviderClient, row: RemoteFile, file: OutgoingFile) -> str:
    try:
        if file.n_bytes > client.profile.max_file_bytes:
            return send_in_parts(client, row, file)
        RemoteFile.objects.filter(pk=row.pk).update(sent_at=now())
        return client.upload(file)
    except ProviderError as exc:
        if not exc.is_unclear:
            RemoteFile.objects.filter(pk=row.pk).update(sent_at=None)
        raise


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(
            _(
                "The frozen file %(name)s is missing from the folder var/files. "
                "Restore it from a backup, or freeze the dataset again and launch that."
            )
            % {"name": path.name}
        )


def wait_until_processed(client: ProviderClient, file_id: str, split: Split) -> None:
    """Some providers refuse a job whose file they have not read yet."""
    give_up_at = time.monotonic() + PROCESSING_WAIT_SECONDS
    while True:
        status, details = client.file_status(file_id) or ("deleted", "")
        if status == "processed":
            return
        if status in UNUSABLE:
            raise FileRefused(_refused(client, split, details or status), split)
        if time.monotonic() >= give_up_at:
            raise NotYet(
                _("%(provider)s is still processing the %(split)s file.")
                % {"provider": client.provider, "split": split.label},
                PROCESSING_AGAIN_SECONDS,
            )
        time.sleep(PROCESSING_CHECK_SECONDS)


def _refused(client: ProviderClient, split: Split, why: str) -> str:
    return _(
        "%(provider)s cannot use the %(split)s file: %(why)s. Correct the rows it "
        "names, freeze the dataset again and launch that version."
    ) % {"provider": client.provider, "split": split.label, "why": why}


def _too_large(job: FineTuningJob, n_bytes: int, max_bytes: int) -> str:
    return _(
        "The file has %(megabytes)d MB, and %(provider)s takes %(limit)d MB at most. "
        "Freeze a version with fewer or shorter rows, or choose another provider."
    ) % {
        "megabytes": -(-n_bytes // 1024**2),
        "provider": job.provider,
        "limit": max_bytes // 1024**2,
    }
