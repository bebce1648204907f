"""Every change of an example is kept: who, when, and each field before and after."""

from collections.abc import Iterable
from typing import Any

from datasets_app import exact_json
from datasets_app.models import Example, ExampleRevision
from teams_app import audit
from teams_app.models import Verb

# The conversation: what a reviewer approves or rejects.
CONTENT_FIELDS = frozenset(
    {
        "messages",
        "tools",
        "parallel_tool_calls",
        "functions",
        "preferred_output",
        "non_preferred_output",
        "extra",
    }
)

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
State = dict[str, Any]


def snapshot(example: Example) -> State:
    """The tracked fields as they are now, as JSON values; take one before a change."""
    values = {name: getattr(example, name) for name in TRACKED_FIELDS}
    if values["deleted_at"] is not None:
        values["deleted_at"] = values["deleted_at"].isoformat()
    return values


def stored_snapshot(example: Example) -> State:
    """The tracked fields as the database has them; the row stays locked.

    Of a row that is not stored yet: nothing at all.
    """
    if example.pk is None:
        return {}
    stored = Example.with_deleted.select_for_update().only(*TRACKED_FIELDS)
    return snapshot(stored.get(pk=example.pk))


def tag_names(example: Example) -> list[str]:
    return sorted(example.tags.values_list("name", flat=True))


def record_change(
    example: Example,
    *,
    before: State,
    by: Any,
    tags: tuple[Iterable[str], Iterable[str]] | None = None,
) -> ExampleRevision | None:
    """Keep what differs from `before`, and who did it in the audit log, which outlives
    the row; None if nothing differs. For one row: bulk edits have their own way.

    Args:
        before: an earlier `snapshot`; empty for a new row.
        tags: their names before and after, where they may have changed.
    """
    changes = _changes(before, snapshot(example))
    if tags is not None and set(tags[0]) != set(tags[1]):
        changes["tags"] = [sorted(names) for names in tags]
    if not changes:
        return None
    _tell(example, changes, is_new=not before, by=by)
    return ExampleRevision.objects.create(
        dataset_id=example.dataset_id,
        example_pk=example.pk,
        changes=changes,
        created_by=by,
    )


def _tell(example: Example, changes: State, *, is_new: bool, by: Any) -> None:
    """Which fields of which row; never what stands in them, but for the state."""
    verb = Verb.ROW_ADDED if is_new else Verb.ROW_CHANGED
    state = {} if is_new or "state" not in changes else {"state": changes["state"]}
    fields = [name.removesuffix("_id") for name in changes]
    facts = {"row": example.pk, "fields": fields, **state}
    audit.record(verb, example.dataset, by=by, **facts)


def _changes(before: State, after: State) -> dict[str, Any]:
    if not before:  # a new row: whatever is not empty
        return {name: [None, value] for name, value in after.items() if value}
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if exact_json.dumps(before.get(name)) != exact_json.dumps(value)
    }


def state_after(example: Example, revision_pk: int) -> State:
    """The tracked fields and tags as they were right after a revision.

    Worked out backwards from the row as it is; 0 stands for the row as it came.
    """
    state = {**snapshot(example), "tags": tag_names(example)}
    later = ExampleRevision.objects.filter(
        example_pk=example.pk, dataset_id=example.dataset_id, pk__gt=revision_pk
    )
    for changes in later.order_by("-pk").values_list("changes", flat=True):
        state.update((name, before) for name, (before, _after) in changes.items())
    return state


def newest_revision(example: Example) -> int:
    """The key of the example's last change; 0 if there was none."""
    found = ExampleRevision.objects.filter(example_pk=example.pk)
    return found.order_by("-pk").values_list("pk", flat=True).first() or 0
