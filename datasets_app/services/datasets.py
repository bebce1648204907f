from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from datasets_app.models import Dataset, Example, Method
from datasets_app.services.errors import OtherMethod
from teams_app import audit
from teams_app.models import Team, Verb


def create_dataset(*, team: Team, name: str, by: Any, description: str = "") -> Dataset:
    """A new, empty dataset. Raises ValidationError if the team has one so named."""
    dataset = Dataset(team=team, name=name, description=description, created_by=by)
    dataset.full_clean()
    with transaction.atomic():
        dataset.save()
        audit.record(Verb.CREATED, dataset, by=by)
    return dataset


def settle_method(dataset: Dataset, method: str) -> None:
    """Rows of this method may come: the first ones decide for an empty dataset.

    Rows in the bin count, because they can be put back. Raises OtherMethod.
    """
    if dataset.method == method:
        return
    if Example.with_deleted.filter(dataset=dataset).exists():
        raise OtherMethod(
            _(
                "The rows are for the method “%(found)s”, but those of “%(dataset)s” "
                "are for “%(wanted)s”, and a training file has one method. Import "
                "them into a dataset of their own."
            )
            % {
                "found": Method(method).label,
                "dataset": dataset,
                "wanted": dataset.get_method_display(),
            }
        )
    dataset.method = method
    dataset.save(update_fields=["method"])
