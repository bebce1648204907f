"""What a log line is about, as fields beside its message (finetune_site/logs.py).

A provider's words stay out of the logs: they may quote what the team trains on. They
stand on the job's page; the code and the request id are enough to find them.
"""

from typing import Any

from jobs_app.models import FineTuningJob, Provider
from jobs_app.providers import ProviderError


def about_job(job: FineTuningJob, exc: Exception | None = None) -> dict[str, Any]:
    return {"job": job.pk, "provider": job.provider_id, **_of(exc)}


def about_provider(provider: Provider, exc: Exception | None = None) -> dict[str, Any]:
    return {"provider": provider.pk, **_of(exc)}


def _of(exc: Exception | None) -> dict[str, Any]:
    if not isinstance(exc, ProviderError):
        return {"problem": type(exc).__name__} if exc else {}
    problem = exc.code or exc.status or type(exc).__name__
    return {"problem": problem, "request_id": exc.request_id}
