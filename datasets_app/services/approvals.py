"""What an example looked like when it was last approved."""

from typing import Any

from datasets_app.models import Example, ExampleRevision, ReviewState
from datasets_app.services.history import CONTENT_FIELDS

FURTHEST_BACK = 200  # changes looked through


def since_approval(example: Example) -> dict[str, list[Any]]:
    """The conversation's fields that differ now: [when approved, now].

    Empty if nothing does, or if the row was not approved within its latest changes.
    """
    before: dict[str, Any] = {}
    revisions = ExampleRevision.objects.filter(
        example_pk=example.pk, dataset_id=example.dataset_id
    )
    rows = revisions.order_by("-pk").values_list("changes", flat=True)
    for changes in rows[:FURTHEST_BACK]:
        if changes.get("state", [None, None])[1] == ReviewState.APPROVED:
            break
        for name in CONTENT_FIELDS & changes.keys():
            before[name] = changes[name][0]
        # Whoever changed it took the approval away with the change.
        if changes.get("state", [None, None])[0] == ReviewState.APPROVED:
            break
    else:
        return {}
    return {
        name: [was, getattr(example, name)]
        for name, was in before.items()
        if was != getattr(example, name)
    }
