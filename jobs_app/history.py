"""Which jobs a person looks for, read with a constant number of queries."""

from typing import Any

from django.db.models import Q, QuerySet

from jobs_app.models import OPEN, FineTuningJob

ALL_OPEN = "open"  # a filter value beside the statuses themselves
RELATED = ("team", "provider", "dataset_version__dataset", "created_by")
SEARCHED = (
    "base_model",
    "suffix",
    "fine_tuned_model",
    "remote_id",
    "dataset_version__dataset__name",
    "provider__name",
)


def visible_jobs(user: Any) -> QuerySet[FineTuningJob]:
    """The jobs `user` may see, with all that a line of the history shows."""
    return FineTuningJob.objects.visible_to(user).select_related(*RELATED)


def filtered(
    jobs: QuerySet[FineTuningJob],
    *,
    status: str = "",
    dataset: Any = None,
    provider: Any = None,
    text: str = "",
) -> QuerySet[FineTuningJob]:
    """The jobs that fit; whoever calls has checked the values against a whitelist."""
    if status:
        wanted = OPEN if status == ALL_OPEN else {status}
        jobs = jobs.filter(status__in=wanted)
    if dataset:
        jobs = jobs.filter(dataset_version__dataset=dataset)
    if provider:
        jobs = jobs.filter(provider=provider)
    for word in text.split():
        jobs = jobs.filter(_mentions(word))
    return jobs


def _mentions(word: str) -> Q:
    found = Q()
    for field in SEARCHED:
        found |= Q(**{f"{field}__icontains": word})
    return found
