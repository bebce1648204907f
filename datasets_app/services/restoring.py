"""Going back: an example becomes again what it was. That, too, is a change it keeps."""

from datetime import datetime
from typing import Any

from django.db import transaction

from datasets_app.models import Example, ExampleRevision, Tag
from datasets_app.services.errors import ChangedMeanwhile
from datasets_app.services.examples import save_example
from datasets_app.services.history import state_after

# What comes back. What people decided about the row (its review) was about another.
RESTORED_FIELDS = (
    "messages",
    "tools",
    "parallel_tool_calls",
    "functions",
    "preferred_output",
    "non_preferred_output",
    "extra",
    "split",
)


@transaction.atomic
def restore_example(
    example: Example, *, revision_pk: int, seen_at: datetime, by: Any
) -> ExampleRevision | None:
    """Make the example what it was after that revision (0: as it came).

    Returns the new revision; None if the example was just so already.

    Raises:
        ChangedMeanwhile: it is not what it was at `seen_at` any more.
    """
    current = Example.objects.select_for_update(of=("self",)).get(pk=example.pk)
    if current.updated_at != seen_at:
        raise ChangedMeanwhile.of(current)
    state = state_after(current, revision_pk)
    for name in RESTORED_FIELDS:
        setattr(current, name, state[name])
    return save_example(current, by=by, tags=_tags(current, state["tags"]))


def _tags(example: Example, names: list[str]) -> list[Tag]:
    """The team's tags of these names; one that is gone comes back with the row."""
    team_id = example.dataset.team_id
    return [
        Tag.objects.get_or_create(team_id=team_id, name=name)[0] for name in names or ()
    ]
