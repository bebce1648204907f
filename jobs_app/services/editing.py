"""Change a draft, or a provider, without overtaking what happens meanwhile."""

from typing import Any

from jobs_app.models import FineTuningJob, JobStatus, Provider


def change_draft(job: FineTuningJob, **fields: Any) -> bool:
    """Store these fields. False: the job was launched meanwhile and stays as it is."""
    draft = FineTuningJob.objects.filter(pk=job.pk, status=JobStatus.DRAFT)
    return bool(draft.update(**fields))


def save_provider(provider: Provider, *, new_key: str = "") -> bool:
    """Store a provider. True: its key was cleared, because its address changed.

    A key goes to the address it was entered for and to no other: whoever may edit the
    address could otherwise send the key to a server of their own.
    """
    stored = Provider.objects.filter(pk=provider.pk).first()
    is_elsewhere = stored is not None and stored.base_url != provider.base_url
    had_key = provider.has_key
    if new_key or is_elsewhere:
        provider.api_key = new_key
    provider.save()
    return is_elsewhere and had_key and not new_key
