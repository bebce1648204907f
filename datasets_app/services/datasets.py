from typing import Any

from django.db.models import Count, Q, QuerySet

from datasets_app.models import Dataset, ReviewState
from teams_app.models import Team


def create_dataset(*, team: Team, name: str, by: Any, description: str = "") -> Dataset:
    """A new, empty dataset. Raises ValidationError if the team has one so named."""
    dataset = Dataset(team=team, name=name, description=description, created_by=by)
    dataset.full_clean()
    dataset.save()
    return dataset


def with_counts(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """The same datasets with n_examples, n_invalid and n_<state>, in one query."""
    live = Q(examples__deleted_at=None)
    by_state = {
        f"n_{state}": Count("examples", filter=live & Q(examples__state=state))
        for state in ReviewState.values
    }
    return datasets.annotate(
        n_examples=Count("examples", filter=live),
        n_invalid=Count("examples", filter=live & Q(examples__is_valid=False)),
        **by_state,
    )
