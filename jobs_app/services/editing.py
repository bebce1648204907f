"""Change a draft, or a provider, without overtaking what happens meanwhile."""

from typing import Any

from jobs_app.models import FineTuningJob, JobStatus, Provider


def change_draft(job: FineTuningJob, **fields: Any) -> bool:
    """Store these fields. False: the job was launched meanwhile and stays as it is."""
    draft = FineTuningJob.objects.filter(pk=job.pk, status=JobStatus.DRAFT)
    return bool(draft.update(**fields))


def save_provider(provider: Provider, *, new_key: str = "") -> bool:
    """Store a provider. True: its key was cleared, because its address changed.

    What was found out about the server at the old address is forgotten as well.
    """
    had_key = provider.has_key
    stored = Provider.objects.filter(pk=provider.pk).first()
    if stored is not None and stored.base_url != provider.base_url:
        provider.abilities, provider.checked_at = {}, None
    if new_key:
        provider.enter_key(new_key)
    provider.save()
    return had_key and not provider.has_key
