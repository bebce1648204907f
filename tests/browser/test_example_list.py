"""Searching a dataset's examples with keyboard and mouse, and without a script."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from datasets_app.models import Dataset
from datasets_app.services import candidates, listing
from teams_app.models import Role, User
from tests.factories import make_dataset, make_example, make_member

FEW_A_PAGE = {"after": "", "before": "", "per_page": 1}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset(name="Card game")
    for said in ("네더 블레이드는 강하다", "A nether blade", "A shield"):
        turns = [
            {"role": "user", "content": "What is it?"},
            {"role": "assistant", "content": said},
        ]
        make_example(dataset=dataset, messages=turns)
    return dataset


@pytest.fixture
def shown(
    page: Page, live_server: LiveServer, sign_in: Callable[[User], None], dataset
) -> Page:
    sign_in(make_member(Role.CURATOR, dataset.team))
    page.goto(reverse("admin:datasets_app_example_changelist"))
    return page


def rows(page: Page):
    return page.locator(".example-table tbody tr")


def test_the_list_follows_what_is_typed(shown: Page):
    search = shown.get_by_label("Search all text")
    search.press_sequentially("블레이드")

    expect(rows(shown)).to_have_count(1)
    expect(search).to_be_focused()
    expect(shown).to_have_url(re.compile("q=%EB%B8%94%EB%A0%88"))
    shown.go_back()
    expect(rows(shown)).to_have_count(3)
    expect(search).to_have_value("")


def test_rows_are_chosen_from_one_to_another(shown: Page):
    boxes = shown.locator("input[name='pks']")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])

    expect(shown.locator("input[name='pks']:checked")).to_have_count(3)
    shown.get_by_label("Choose all rows of this page").click()
    expect(shown.locator("input[name='pks']:checked")).to_have_count(0)


def test_an_example_leads_on_to_the_next_one_of_the_search(shown: Page):
    shown.get_by_label("Search all text").fill("blade")
    expect(rows(shown)).to_have_count(1)
    shown.get_by_label("Search all text").fill("is")
    expect(rows(shown)).to_have_count(3)
    rows(shown).nth(0).get_by_role("link").click()
    shown.get_by_role("link", name="Next", exact=True).click()
    shown.get_by_role("link", name="Back to the list").click()

    expect(rows(shown)).to_have_count(3)


def test_without_scripts_the_form_searches(
    browser: Browser, live_server: LiveServer, shown: Page
):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(shown.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(shown.url)
    page.get_by_label("Search all text").fill("shield")
    page.get_by_role("button", name="Search").click()

    expect(rows(page)).to_have_count(1)
    context.close()


def test_a_search_goes_on_by_itself_until_it_has_found_something(
    page: Page,
    sign_in: Callable[[User], None],
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(candidates, "few", lambda *_of: None)  # as of a large dataset
    monkeypatch.setattr(listing, "MAX_SECONDS", -1)
    monkeypatch.setattr(listing.list_examples, "__kwdefaults__", FEW_A_PAGE)
    sign_in(make_member(Role.CURATOR, dataset.team))
    page.goto(f"/admin/datasets_app/example/?dataset={dataset.pk}&q=shield")

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("A shield")
    expect(page).to_have_url(re.compile("q=shield$"))
