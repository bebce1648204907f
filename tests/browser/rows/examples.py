"""Rows, their review and their bulk edits, as the pages show them."""

from django.urls import reverse

from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Dataset,
    Example,
    Method,
    ReviewState,
)
from datasets_app.services import (
    comment_on,
    decide,
    save_example,
)
from datasets_app.services.bulk_edits import start_edit
from datasets_app.services.checks import (
    run_edit,
)
from datasets_app.services.saved_filters import save_filter
from datasets_app.services.selection import Selection
from teams_app.models import Team
from tests.browser.rows.datasets import dataset_of
from tests.factories import (
    make_dataset,
    make_example,
)


def example(team: Team) -> Example | None:
    return dataset_of(team).examples.first()


def calling_example(team: Team) -> Example:
    """A tool that is called, its answer, images of both kinds, a name, a weight."""
    schema = {"properties": {"n": {"type": "integer"}, "side": {"enum": ["a", "b"]}}}
    call = {"name": "hp", "arguments": '{"n": 1, "other": [2]}'}
    urls = ["https://pictures.example/a.png", "data:image/svg+xml;base64,PHN2Zy8+"]
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    calls = [{"id": "c1", "type": "function", "function": call}]
    function = {"name": "hp", "parameters": schema}
    return make_example(
        dataset=make_dataset(team=team),
        tools=[{"type": "function", "function": function}],
        extra={"grade": 1},
        messages=[
            {"role": "user", "name": "ann", "content": parts},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "20"},
            {"role": "assistant", "content": "20", "weight": 0},
        ],
    )


def preference(team: Team) -> Example:
    return make_example(
        dataset=make_dataset(team=team, method=Method.DPO),
        messages=[{"role": "user", "content": "Hi"}],
        preferred_output=[{"role": "assistant", "content": "Hello!"}],
        non_preferred_output=[{"role": "assistant", "content": "What."}],
    )


def changed_example(team: Team) -> Example | None:
    found = example(team)
    if found is not None:
        found.messages = [*found.messages[:-1], {"role": "assistant", "content": "Ja"}]
        save_example(found, by=None)
    return found


def in_review(team: Team) -> Dataset:
    """A row that was changed since it was approved, with a comment, comes first."""
    dataset = dataset_of(team)
    row = dataset.examples.earliest("position")
    decide(row, state=ReviewState.APPROVED, by=None)
    row.refresh_from_db()
    row.messages = [{"role": "user", "content": "네더?"}, *row.messages[1:]]
    save_example(row, by=None)
    comment_on(row, text="Is this so?", by=None)
    row.refresh_from_db()
    decide(row, state=ReviewState.IN_REVIEW, by=None)
    return dataset


def edited(team: Team) -> BulkEdit:
    edit = start_edit(
        dataset=dataset_of(team), kind=BulkKind.TAG, by=None, params={"name": "hard"}
    )
    run_edit(edit)
    return edit


def with_edits(team: Team) -> Dataset:
    return edited(team).dataset


def with_bin(team: Team) -> Dataset:
    dataset = dataset_of(team)
    run_edit(start_edit(dataset=dataset, kind=BulkKind.DELETE, by=None))
    return dataset


def find_and_replace(team: Team) -> str:
    url = reverse("datasets:edit_new", args=[dataset_of(team).pk])
    return f"{url}?kind=replace&scope=all"


def kept_filter(team: Team) -> Dataset:
    save_filter(team, name="Drafts", selection=Selection(state="draft"))
    return dataset_of(team)


def two_datasets(team: Team) -> None:
    make_dataset(team=team)
    dataset_of(team)
