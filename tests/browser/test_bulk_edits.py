"""Find and replace, from the form to the undo."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from datasets_app.models import Dataset, Example
from teams_app.models import Role, User
from tests.factories import make_dataset, make_example, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def dataset(sign_in: Callable[[User], None]) -> Dataset:
    dataset = make_dataset()
    for n in range(3):
        turns = [
            {"role": "user", "content": "How much?"},
            {"role": "assistant", "content": f"{n}0 damage, 피해 {n}."},
        ]
        make_example(dataset=dataset, messages=turns)
    sign_in(make_member(Role.CURATOR, dataset.team))
    return dataset


def answers(dataset: Dataset) -> list[str]:
    rows = Example.objects.filter(dataset=dataset)
    return [row.messages[1]["content"] for row in rows]


def test_a_replacement_is_looked_at_then_made_then_taken_back(
    page: Page, dataset: Dataset
):
    before = answers(dataset)
    page.goto(f"/datasets/{dataset.pk}/edits/new/?kind=replace&scope=all")
    page.get_by_label("Find", exact=True).fill(r"(\d+) damage")
    page.get_by_label("Replace with").fill(r"damage of \1")
    page.get_by_label("Regular expression").check()
    page.get_by_role("button", name="Show what would change").click()

    expect(page.get_by_role("status")).to_contain_text("3 rows")
    expect(page.locator(".preview del").first).to_contain_text("00")
    expect(page.locator(".preview ins").first).to_contain_text("of 00")
    assert answers(dataset) == before

    page.get_by_role("button", name="Change the rows").click()
    expect(page.locator("#bulk-edit")).to_contain_text("finished")
    assert answers(dataset)[1] == "damage of 10, 피해 1."

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The edit that this takes back")).to_be_visible()
    assert answers(dataset) == before


def test_a_bad_expression_is_said_and_what_was_typed_stays(
    page: Page, dataset: Dataset
):
    page.goto(f"/datasets/{dataset.pk}/edits/new/?kind=replace&scope=all")
    page.get_by_label("Find", exact=True).fill("피해 (")
    page.get_by_label("Regular expression").check()
    page.get_by_role("button", name="Show what would change").click()

    expect(page.get_by_role("alert")).to_contain_text("At character 4")
    expect(page.get_by_label("Find", exact=True)).to_have_value("피해 (")
