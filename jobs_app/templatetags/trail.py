"""What came of a version, for pages of the app that knows nothing of jobs."""

from typing import Any

from django import template

from datasets_app.models import DatasetVersion

register = template.Library()
FEW = 10


@register.inclusion_tag("jobs_app/_jobs_of_version.html")
def jobs_of(version: DatasetVersion) -> dict[str, Any]:
    """The newest jobs that trained on the version, and the models they made.

    Whoever sees the version sees them: they belong to its team.
    """
    jobs = list(version.jobs.select_related("provider").order_by("-pk")[: FEW + 1])
    return {"jobs": jobs[:FEW], "are_more": len(jobs) > FEW, "version": version}
