"""What the filters of the example list offer: what the dataset has, and only that."""

import pytest

from datasets_app.admin.example_choices import filter_fields
from datasets_app.models import CheckRun, Dataset, RunStatus, Tag
from datasets_app.services.selection import Selection
from teams_app.models import Role
from tests.datasets_app import import_runs
from tests.factories import chat_lines, make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db
NO_ANSWER = [{"role": "user", "content": "Hi"}]


def filled(**overrides) -> Dataset:
    """A dataset with something for each filter, named like the dataset."""
    dataset = make_dataset(**overrides)
    name = dataset.name
    Tag.objects.get_or_create(team=dataset.team, name=f"tag of {dataset.team}")
    import_runs.run(chat_lines(1), dataset=dataset, file_name=f"rows of {name}")
    import_runs.run(b"not json", dataset=dataset, file_name="empty.jsonl")
    CheckRun.objects.create(
        dataset=dataset, status=RunStatus.FINISHED, summary={f"found in {name}": 1}
    )
    CheckRun.objects.create(dataset=dataset, summary={"unfinished": 1})
    return dataset


def offered(dataset: Dataset) -> dict[str, list[str]]:
    fields = filter_fields(dataset, Selection())
    return {each.name: [str(choice[0]) for choice in each.choices] for each in fields}


def labels(dataset: Dataset, name: str) -> list[str]:
    [field] = [f for f in filter_fields(dataset, Selection()) if f.name == name]
    return [label for _value, label in field.choices]


@pytest.fixture
def dataset() -> Dataset:
    """Beside it stand another dataset of its team and one of another team."""
    dataset = filled(name="this")
    filled(name="second", team=dataset.team)
    filled(name="foreign")
    return dataset


def test_tags_and_people_are_those_of_the_team(dataset):
    member = make_member(Role.VIEWER, dataset.team)
    make_member(Role.OWNER)
    found = offered(dataset)

    assert found["tag"] == [f"tag of {dataset.team}"]
    assert found["assignee"] == found["changed_by"] == [str(member.pk)]


def test_imports_are_the_datasets_own_that_added_rows(dataset):
    assert labels(dataset, "import_run") == ["rows of this"]


def test_findings_are_those_of_the_datasets_newest_finished_check(dataset):
    assert offered(dataset)["finding"] == ["any", "found in this"]


def test_problems_are_those_of_the_datasets_rows(dataset):
    make_example(dataset=dataset, messages=NO_ANSWER)
    make_example(dataset=make_dataset(), messages=[{"role": "you", "content": "Hi"}])
    found = offered(dataset)["problem"]

    assert "unknown_role" not in found
    assert len(found) == 3
