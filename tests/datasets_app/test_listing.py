"""Pages of the list: every row once, in order, forwards and backwards."""

import pytest

from datasets_app import services
from datasets_app.models import Comment, Dataset, Example, Finding, Tag
from datasets_app.services import candidates, listing
from datasets_app.services.listing import list_examples, neighbours
from datasets_app.services.selection import SORTS, Selection
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member, make_version

pytestmark = pytest.mark.django_db


def make_rows(n: int = 11) -> Dataset:
    dataset = make_dataset()
    for number in range(n):
        row = make_example(dataset=dataset, state="draft" if number % 3 else "approved")
        Example.objects.filter(pk=row.pk).update(
            n_tokens=number * 7 % 5, n_findings=number % 2
        )
    return dataset


def walk(selection: Selection, dataset: Dataset, way: str) -> list[int]:
    """The rows page by page; backwards from behind the last one."""
    pks: list[int] = []
    key = ""
    if way == "before":
        last = list(selection.examples(dataset))[-1]
        order = listing.Order.of(selection.sort, backwards=False)
        value, pk = order.key_of(last)
        key = listing.write_key((value, pk))
        pks.append(last.pk)
    while True:
        page = list_examples(selection, dataset, **{way: key}, per_page=4)
        rows = [row.pk for row in page.rows]
        pks = rows + pks if way == "before" else pks + rows
        if not (key := getattr(page, way)):
            return pks


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("way", ["after", "before"])
@pytest.mark.parametrize(
    "filters", [{}, {"state": "approved"}, {"finding": "any"}, {"min_tokens": "2"}]
)
def test_pages_hold_every_row_once_in_order(sort, way, filters, few, monkeypatch):
    monkeypatch.setattr(candidates, "FEW", few)
    monkeypatch.setattr(listing, "MOST_AT_ONCE", 6)
    dataset, selection = make_rows(), Selection.of({**filters, "sort": sort})

    rows = walk(selection, dataset, way)

    assert rows == [row.pk for row in selection.examples(dataset)]


@pytest.mark.parametrize("sort", SORTS)
def test_the_last_page_is_found_from_behind(sort):
    dataset, selection = make_rows(5), Selection(sort=sort)

    end = listing.end_key(sort)
    page = list_examples(selection, dataset, before=end, per_page=2)

    assert page.rows == list(selection.examples(dataset))[-2:]
    assert not page.after


def test_a_page_says_when_it_stopped_early_and_goes_on(monkeypatch):
    monkeypatch.setattr(listing, "MAX_SECONDS", 0)
    monkeypatch.setattr(candidates, "FEW", 0)
    dataset = make_rows(23)

    page = list_examples(Selection(min_tokens="4"), dataset, per_page=5)

    assert len(page.rows) < 5
    assert page.n_looked_at == 6
    assert page.after


def test_what_the_counters_know_is_counted():
    dataset = make_rows(9)

    assert list_examples(Selection(), dataset).n_found == 9
    assert list_examples(Selection(state="approved"), dataset).n_found == 3


def test_many_rows_of_another_filter_are_not_counted(monkeypatch):
    monkeypatch.setattr(candidates, "FEW", 2)

    assert list_examples(Selection(finding="any"), make_rows()).n_found is None


@pytest.mark.parametrize(
    "filters",
    [
        {"tag": "hard"},
        {"finding": "secret"},
        {"finding": "any"},
        {"problem": "any"},
        {"problem": "no_messages"},
        {"comments": "any"},
        {"pinned": "yes"},
        {"split": "validation"},
        {"max_tokens": "0"},
    ],
)
@pytest.mark.parametrize("few", [0, 1000])
def test_each_filter_leaves_out_the_others(filters, few, monkeypatch):
    monkeypatch.setattr(candidates, "FEW", few)
    dataset = make_dataset()
    make_example(dataset=dataset)
    odd = make_example(dataset=dataset, messages=[], split="validation", is_pinned=True)
    odd.tags.add(Tag.objects.create(team=dataset.team, name="hard"))
    Finding.objects.create(dataset=dataset, example=odd, code="secret")
    Example.objects.filter(pk=odd.pk).update(n_findings=1, n_tokens=0)
    Comment.objects.create(example=odd, text="Look!")

    selection = Selection.of(filters)

    assert [row.pk for row in list_examples(selection, dataset).rows] == [odd.pk]
    assert [row.pk for row in selection.examples(dataset)] == [odd.pk]


def test_rows_that_somebody_changed_are_found():
    dataset = make_dataset()
    curator = make_member(Role.CURATOR, dataset.team)
    make_example(dataset=dataset)
    theirs = make_example(dataset=dataset, by=curator)

    page = list_examples(Selection(changed_by=str(curator.pk)), dataset)

    assert [row.pk for row in page.rows] == [theirs.pk]


def test_rows_of_a_version_are_found():
    dataset = make_dataset()
    taken = make_example(dataset=dataset)
    version = make_version(dataset=dataset)
    make_example(dataset=dataset)
    version.rows.create(
        split="train",
        line_number=1,
        offset=0,
        example=taken,
        content_hash=taken.content_hash,
    )

    page = list_examples(Selection(version=str(version.pk)), dataset)

    assert [row.pk for row in page.rows] == [taken.pk]


def test_a_row_has_its_neighbours_of_the_selection():
    dataset = make_dataset()
    first, _rejected, second, third = (
        make_example(dataset=dataset, state=state)
        for state in ("draft", "rejected", "draft", "draft")
    )

    assert neighbours(Selection(state="draft"), dataset, second) == (first, third)
    assert neighbours(Selection(), dataset, first)[0] is None


@pytest.mark.parametrize("key", ["x", "-1", "1-", "9" * 40, "٣-٣", "1-2-3"])
def test_a_key_that_is_none_shows_the_first_page(key):
    dataset = make_rows(3)

    assert len(list_examples(Selection(), dataset, after=key).rows) == 3


def test_a_key_from_the_far_future_is_just_beyond_all_rows():
    page = list_examples(Selection(sort="changed"), make_rows(3), after=f"{'9' * 18}-1")

    assert page.rows == []


def test_counts_of_queries_do_not_grow_with_rows(django_assert_num_queries):
    dataset = make_rows(30)
    services.index_texts()

    with django_assert_num_queries(4):
        list_examples(Selection(), dataset, per_page=10)
