"""Change a draft, or a provider, without overtaking what happens meanwhile."""

from typing import Any

from django.db import transaction

from jobs_app.models import FineTuningJob, JobStatus, Provider
from teams_app import audit
from teams_app.models import Verb


def change_draft(job: FineTuningJob, **fields: Any) -> bool:
    """Store these fields. False: the job was launched meanwhile and stays as it is."""
    draft = FineTuningJob.objects.filter(pk=job.pk, status=JobStatus.DRAFT)
    return bool(draft.update(**fields))


def name_deployment(job: FineTuningJob, name: str, *, by: Any = None) -> None:
    """Note under which name the tuned model was deployed; empty: under its own."""
    with transaction.atomic():
        audit.record(Verb.CHANGED, job, by=by, deployment=[job.deployment, name])
        FineTuningJob.objects.filter(pk=job.pk).update(deployment=name)
    job.refresh_from_db()


def save_provider(provider: Provider, *, by: Any = None, new_key: str = "") -> bool:
    """Store a provider. True: its key was cleared, because its address changed.

    What was found out about the server at the old address is forgotten as well.
    """
    had_key = provider.has_key
    stored = Provider.objects.filter(pk=provider.pk).first()
    if stored is not None and stored.base_url != provider.base_url:
        provider.abilities, provider.checked_at = {}, None
        provider.keeps_metadata = None
    if new_key:
        provider.enter_key(new_key)
    with transaction.atomic():
        provider.save()
        is_cleared = had_key and not provider.has_key
        if new_key or is_cleared:
            base_url = provider.base_url
            audit.record(Verb.KEY_CHANGED, provider, by=by, base_url=base_url)
    return is_cleared
