"""Storing examples."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max

from datasets_app import exact_json
from datasets_app.chat_format import OUTPUT_KEYS, RECORD_KEYS
from datasets_app.derived import Derived, derive_all
from datasets_app.models import Dataset, Example, ExampleRevision, ReviewState, Tag
from datasets_app.services.check_requests import rows_changed
from datasets_app.services.counting import counter_of
from datasets_app.services.history import record_change, stored_snapshot, tag_names


@transaction.atomic
def save_example(
    example: Example, *, by: Any, tags: Iterable[Tag] | None = None
) -> ExampleRevision | None:
    """Store a conversation, all that is derived from it, and what changed.

    A conversation that differs from the stored one goes back to draft: what a reviewer
    approved or rejected was the old one. `tags`, where given, become the row's tags.

    Returns the revision that keeps the change; None if there is none.
    """
    before = stored_snapshot(example)
    reviewed_hash = example.content_hash
    derive_fields(example)
    is_other_extra = example.extra != before.get("extra")  # of no part in the hash
    if example.content_hash != reviewed_hash or is_other_extra:
        example.state = ReviewState.DRAFT
        example.content_by = None if example.pk is None else by
    if example.pk is None:
        example.created_by = by
        example.position = next_position(example.dataset)
    example.updated_by = by
    example.save(update_fields=None if example.pk is None else _SAVED_FIELDS)
    rows_changed(example.dataset_id)
    tags_changed = None if tags is None else _set_tags(example, tags)
    return record_change(example, before=before, by=by, tags=tags_changed)


# A check may have counted the findings since the example was loaded.
_SAVED_FIELDS = [
    field.name
    for field in Example._meta.concrete_fields
    if field.name not in ("id", "n_findings")
]


def _set_tags(example: Example, tags: Iterable[Tag]) -> tuple[list[str], list[str]]:
    """Returns the names before and after."""
    before = tag_names(example)
    example.tags.set(tags)
    return before, tag_names(example)


# What `derive_fields` sets besides making the conversation canonical.
DERIVED_FIELDS = (
    "messages",
    *OUTPUT_KEYS,
    "text",
    "content_hash",
    "problems",
    "is_valid",
    "n_tokens",
)


def derive_fields(example: Example) -> None:
    derive_fields_of([example], example.dataset)


def derive_fields_of(examples: list[Example], dataset: Dataset) -> None:
    """The same of many examples of one dataset, whose tokens are counted together."""
    records = [record_of(example) for example in examples]
    counter = counter_of(dataset.base_model)
    found = derive_all(records, dataset.method, counter)
    for example, derived in zip(examples, found, strict=True):
        _put(example, derived)


def _put(example: Example, derived: Derived) -> None:
    example.messages = exact_json.loads(derived.messages)
    for key in OUTPUT_KEYS:
        output = getattr(derived, key)
        setattr(example, key, None if output is None else exact_json.loads(output))
    example.text = derived.text
    example.content_hash = derived.content_hash
    example.problems = [problem.as_json() for problem in derived.problems]
    example.is_valid = not derived.problems
    example.n_tokens = derived.n_tokens


def record_of(example: Example) -> dict[str, Any]:
    """The example as a record of `chat_format`; what is not there has no key."""
    optional = {key: getattr(example, key) for key in RECORD_KEYS[1:]}
    present = {key: value for key, value in optional.items() if value is not None}
    return {"messages": example.messages, **present}


def next_position(dataset: Dataset) -> int:
    """Positions count from 1: people read them as the rows' numbers."""
    last = dataset.examples.aggregate(last=Max("position"))["last"]
    return (last or 0) + 1
