"""What differs between two versions, by their manifests and in words."""

import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.models import Dataset, DatasetVersion, Example, Split
from datasets_app.row_diff import row_diff
from datasets_app.services import version_diffs
from datasets_app.services.version_diffs import (
    Lines,
    count_differences,
    find_differences,
    read_line,
)
from datasets_app.views import version_diffs as pages
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member, make_version

pytestmark = pytest.mark.django_db
TRAIN = Lines.around(Split.TRAIN, 1)
VALIDATION = Lines.around(Split.VALIDATION, 1)


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset()
    for _ in range(4):
        make_example(dataset=dataset)
    return dataset


def freeze(dataset) -> DatasetVersion:
    return services.freeze(dataset=dataset, by=None)


def say(example: Example, answer: str) -> None:
    example.messages = [
        {"role": "user", "content": "Draw?"},
        {"role": "assistant", "content": answer},
    ]
    services.save_example(example, by=None)


def test_rows_are_told_apart_by_their_examples(dataset):
    changed, moved, removed, _same = dataset.examples.all()
    say(changed, "Two cards.")
    old = freeze(dataset)
    say(changed, "Two or three cards.")
    Example.objects.filter(pk=moved.pk).update(split=Split.VALIDATION)
    pk = removed.pk
    removed.delete()
    added = make_example(dataset=dataset)
    new = freeze(dataset)

    none = dict.fromkeys(version_diffs.KINDS, 0)
    in_train = {"changed": 1, "added": 1, "removed": 1}
    assert count_differences(old, new, TRAIN) == {**none, **in_train}
    assert count_differences(old, new, VALIDATION) == {**none, "moved": 1}

    def found(kind: str, lines: Lines = TRAIN) -> list[int | None]:
        rows = find_differences(old, new, kind, lines, 10)
        return [row.example_id for row in rows]

    assert found("changed") == [changed.pk]
    assert found("added") == [added.pk]
    assert found("removed") == [pk]
    assert found("moved", VALIDATION) == [moved.pk]


def test_the_lines_of_both_versions_are_found_by_their_place(dataset):
    example = dataset.examples.last()
    say(example, "네 장.")
    old = freeze(dataset)
    say(example, "다섯 장.")
    new = freeze(dataset)
    (row,) = find_differences(old, new, "changed", TRAIN, 10)

    assert row.old
    assert row.new
    assert "네 장.".encode() in (read_line(old, row.old) or b"")
    assert "다섯 장.".encode() in (read_line(new, row.new) or b"")


def test_identical_versions_do_not_differ(dataset):
    counts = count_differences(freeze(dataset), freeze(dataset), TRAIN)
    assert set(counts.values()) == {0}


def test_a_question_is_about_some_lines_only(dataset, monkeypatch):
    monkeypatch.setattr(version_diffs, "LINES_AT_ONCE", 2)
    empty = make_version(dataset=dataset, number=90)
    new = freeze(dataset)

    assert Lines.around(Split.TRAIN, 3) == Lines(Split.TRAIN, 3, 4)
    for line in (1, 3):
        lines = Lines.around(Split.TRAIN, line)
        assert count_differences(empty, new, lines)["added"] == 2
        found = find_differences(empty, new, "added", lines, 10)
        assert [row.new.line_number for row in found if row.new] == [line, line + 1]


class TestSideBySide:
    def test_shows_the_words_that_differ(self):
        old = {"messages": [{"role": "assistant", "content": "광역 공격은 한 번"}]}
        new = {"messages": [{"role": "assistant", "content": "광역 공격은 두 번"}]}
        (pair,) = row_diff(old, new)

        assert ("delete", "한") in pair.old
        assert ("insert", "두") in pair.new
        assert not pair.is_same

    def test_knows_turns_that_came_and_went(self):
        turn = {"role": "user", "content": "x"}
        same, added = row_diff({"messages": [turn]}, {"messages": [turn, turn]})

        assert same.is_same
        assert added.old == []
        assert "".join(text for _op, text in added.new) == "user:\nx"

    def test_names_answers_and_keys(self):
        old = {"messages": [], "preferred_output": [], "tools": [1]}
        new = {
            "messages": [],
            "preferred_output": [{"role": "assistant", "content": "x"}],
            "parallel_tool_calls": False,
        }
        names = [pair.name for pair in row_diff(old, new)]
        assert names == ["preferred_output", "tools", "parallel_tool_calls"]


class TestThePage:
    @pytest.fixture
    def viewer(self, client, dataset):
        client.force_login(make_member(Role.VIEWER, dataset.team))
        return client

    def url(self, version: DatasetVersion) -> str:
        return reverse("datasets:version_diff", args=[version.pk])

    def test_compares_with_the_version_before(self, viewer, dataset):
        example = dataset.examples.first()
        say(example, "Two <b>cards</b>.")
        old = freeze(dataset)
        say(example, "Two or three <b>cards</b>.")
        new = freeze(dataset)
        response = viewer.get(self.url(new))
        shown = response.content.decode()

        assert response.context["old"] == old
        assert "<ins>" in shown
        assert "or three" in shown
        assert "<b>cards" not in shown

    def test_does_not_show_a_row_without_end(self, viewer, dataset, monkeypatch):
        monkeypatch.setattr(version_diffs, "MAX_LINE_BYTES", 50)
        make_version(dataset=dataset, number=1)
        shown = viewer.get(self.url(freeze(dataset))).content.decode()

        assert shown.count("too long to be shown") == 4

    def test_compares_with_any_other_version(self, viewer, dataset):
        first, _second, third = freeze(dataset), freeze(dataset), freeze(dataset)

        assert viewer.get(self.url(third), {"with": 1}).context["old"] == first
        assert viewer.get(self.url(first), {"with": 3}).context["old"] == third
        for nothing in ("9", "x", "1"):
            assert viewer.get(self.url(first), {"with": nothing}).status_code == 404

    def test_compares_with_no_other_datasets_version(self, viewer, dataset):
        version = make_version(dataset=dataset, number=7)
        make_version(dataset=make_dataset(team=dataset.team), number=1)

        assert viewer.get(self.url(version), {"with": 1}).status_code == 404

    @pytest.mark.parametrize("kind", version_diffs.KINDS)
    def test_shows_each_kind(self, viewer, dataset, kind):
        freeze(dataset)
        version = self.differing(dataset)
        split = "validation" if kind == "moved" else "train"
        query = {"kind": kind, "split": split}
        (row,) = viewer.get(self.url(version), query).context["rows"]

        assert row["question"]

    def differing(self, dataset) -> DatasetVersion:
        changed, moved, removed, _same = dataset.examples.all()
        say(changed, "New.")
        Example.objects.filter(pk=moved.pk).update(split=Split.VALIDATION)
        removed.delete()
        make_example(dataset=dataset)
        return freeze(dataset)

    def test_goes_on_behind_a_page(self, viewer, dataset, monkeypatch):
        monkeypatch.setattr(pages, "PER_PAGE", 3)
        make_version(dataset=dataset, number=1)
        version = freeze(dataset)
        context = viewer.get(self.url(version)).context
        assert (context["kind"], context["next_line"]) == ("added", 4)

        rest = viewer.get(self.url(version), {"line": 4, "kind": "added"}).context
        assert (len(rest["rows"]), rest["next_line"]) == (1, None)

    def test_takes_the_same_queries_for_many_rows(
        self, viewer, dataset, all_alive, django_assert_num_queries
    ):
        make_version(dataset=dataset, number=1)
        version = freeze(dataset)
        # session, user, version, roles, the other one, two counts, rows, signs of life
        with django_assert_num_queries(9):
            viewer.get(self.url(version))
