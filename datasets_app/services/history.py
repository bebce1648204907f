"""Every change of an example is kept: who, when, and each field before and after."""

from typing import Any

from datasets_app.models import BulkEdit, Example, ExampleRevision

# What a person can change. What is derived from these is not kept twice.
TRACKED_FIELDS = (
    "messages",
    "tools",
    "parallel_tool_calls",
    "functions",
    "preferred_output",
    "non_preferred_output",
    "extra",
    "state",
    "reject_reason",
    "split",
    "is_pinned",
    "assignee_id",
    "deleted_at",
)


def snapshot(example: Example) -> dict[str, Any]:
    """The tracked fields as they are now, as JSON values; take one before a change."""
    values = {name: getattr(example, name) for name in TRACKED_FIELDS}
    if values["deleted_at"] is not None:
        values["deleted_at"] = values["deleted_at"].isoformat()
    return values


def record_change(
    example: Example,
    *,
    before: dict[str, Any],
    by: Any,
    bulk_edit: BulkEdit | None = None,
) -> ExampleRevision | None:
    """Keep what differs from `before`; None if nothing does."""
    after = snapshot(example)
    changes = {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }
    if not changes:
        return None
    return ExampleRevision.objects.create(
        dataset_id=example.dataset_id,
        example_pk=example.pk,
        bulk_edit=bulk_edit,
        changes=changes,
        created_by=by,
    )
