"""Files that we uploaded once, that still lie at a provider, and that nobody needs."""

import logging
import re

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from jobs_app import providers
from jobs_app.log_fields import about_provider
from jobs_app.models import (
    OPEN,
    FineTuningJob,
    LeftoverFile,
    LeftoverReason,
    Provider,
    RemoteFile,
)
from jobs_app.providers import ProviderError, StoredFile
from teams_app import audit
from teams_app.models import User, Verb

log = logging.getLogger(__name__)

# As `uploading.file_name` names them.
OUR_NAME = re.compile(r"dataset-v\d+-(train|validation)-[0-9a-f]{16}\.jsonl")
SECONDS = 120.0


def look_for_leftovers(provider: Provider) -> int:
    """Bring the list up to date. Returns how many files nobody needs.

    Raises:
        ProviderError: the provider's files cannot be listed.
    """
    with providers.connect(provider, max_seconds=SECONDS) as client:
        stored = [file for file in client.files() if OUR_NAME.fullmatch(file.name)]
    reasons = {file.id: _reason(provider, file) for file in stored}
    rows = [_row(provider, f, r) for f in stored if (r := reasons[f.id])]
    with transaction.atomic():
        kept = [row.remote_id for row in rows]
        known = LeftoverFile.objects.filter(provider=provider)
        known.exclude(remote_id__in=kept).delete()
        LeftoverFile.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=("provider", "remote_id"),
            update_fields=("name", "n_bytes", "uploaded_at", "reason", "seen_at"),
        )
    return len(rows)


def _row(provider: Provider, file: StoredFile, reason: str) -> LeftoverFile:
    return LeftoverFile(
        provider=provider,
        remote_id=file.id,
        name=file.name,
        n_bytes=file.n_bytes,
        uploaded_at=file.created_at,
        reason=reason,
        seen_at=now(),
    )


def _reason(provider: Provider, file: StoredFile) -> str:
    """Why nobody needs it; empty if somebody may."""
    known = _known(provider).filter(remote_id=file.id)
    if known.exists():
        return "" if _is_needed(known) else LeftoverReason.UNUSED
    if _is_on_its_way(provider, file.name):
        return ""
    return LeftoverReason.NOT_OURS_NOW


def _known(provider: Provider) -> QuerySet[RemoteFile]:
    """Other teams may have the same account."""
    return RemoteFile.objects.filter(provider__base_url=provider.base_url)


def _is_needed(files: QuerySet[RemoteFile]) -> bool:
    versions = files.values("dataset_version")
    jobs = FineTuningJob.objects.filter(dataset_version__in=versions, status__in=OPEN)
    return jobs.filter(provider__in=files.values("provider")).exists()


def _is_on_its_way(provider: Provider, name: str) -> bool:
    """Sent a moment ago, and its id is not stored yet; the hash is in the name."""
    sha256 = name.rsplit("-", 1)[1].removesuffix(".jsonl")
    sent = _known(provider).filter(remote_id="", sent_at__isnull=False)
    training = sent.filter(dataset_version__training_sha256__startswith=sha256)
    validation = sent.filter(dataset_version__validation_sha256__startswith=sha256)
    return training.exists() or validation.exists()


def request_deletion(files: QuerySet[LeftoverFile], *, by: User | None) -> int:
    """Note that these are to be deleted at their provider. Returns how many."""
    wanted = list(files.select_related("provider"))
    for file in wanted:
        audit.record(Verb.DELETED, file.provider, by=by, file=file.name)
    pks = [file.pk for file in wanted]
    LeftoverFile.objects.filter(pk__in=pks).update(
        delete_requested_at=now(), problem=""
    )
    return len(wanted)


def providers_with_deletions() -> list[int]:
    """Where a worker should delete now; one that failed waits for a person."""
    wanted = LeftoverFile.objects.filter(delete_requested_at__isnull=False, problem="")
    return sorted(set(wanted.values_list("provider", flat=True)))


def delete_leftovers(provider: Provider) -> None:
    """Delete what was asked for, unless somebody needs it by now."""
    wanted = LeftoverFile.objects.filter(delete_requested_at__isnull=False)
    for file in wanted.filter(provider=provider):
        if not _give_up(provider, file):
            file.delete()
            continue
        try:
            with providers.connect(provider, max_seconds=SECONDS) as client:
                client.delete_file(file.remote_id)
        except ProviderError as exc:
            log.warning("a file was not deleted", extra=about_provider(provider, exc))
            LeftoverFile.objects.filter(pk=file.pk).update(
                problem=str(exc), delete_requested_at=None
            )
            return
        file.delete()


@transaction.atomic
def _give_up(provider: Provider, file: LeftoverFile) -> bool:
    """Forget that we have it. False: a job that was launched meanwhile needs it."""
    Provider.objects.select_for_update().get(pk=provider.pk)
    known = _known(provider).filter(remote_id=file.remote_id)
    if _is_needed(known):
        return False
    known.delete()
    return True
