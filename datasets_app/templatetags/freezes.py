"""The newest freeze of a dataset, wherever somebody may look for what became of it."""

from typing import Any

from django import template

from datasets_app.models import Dataset, RunStatus

register = template.Library()


@register.inclusion_tag("datasets_app/_newest_freeze.html")
def newest_freeze(dataset: Dataset) -> dict[str, Any]:
    """Nothing once it is finished: then there is a version to look at."""
    run = dataset.freeze_runs.select_related("created_by").first()
    is_finished = run is None or run.status == RunStatus.FINISHED
    return {"run": None if is_finished else run}
