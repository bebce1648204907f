"""One person's way through the product in a browser, on the running site."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.site import Site
from tests.end_to_end.test_whole_way import KOREAN_FILE, KOREAN_ROWS

pytestmark = [pytest.mark.torch, pytest.mark.processes, pytest.mark.browser]

DATASET = "Bookshop"
ANSWER = "평일은 오전 열 시부터 저녁 아홉 시까지 엽니다."
MINUTE = 60_000
PLAYWRIGHTS_OWN = 5_000


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url, locale="en")
    context.set_default_timeout(MINUTE)
    expect.set_options(timeout=MINUTE)  # the worker may still be starting
    yield context.new_page()
    expect.set_options(timeout=PLAYWRIGHTS_OWN)
    context.close()


def sign_in(page: Page, site: Site) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def import_file(page: Page, file: Path) -> None:
    page.goto("/datasets/")
    page.get_by_role("link", name="New dataset").click()
    page.get_by_label("Name").fill(DATASET)
    page.get_by_role("button", name="Make the dataset").click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Show the first rows").click()
    page.get_by_role("button", name="Start the import").click()
    expect(page.locator(".state--finished")).to_be_visible()


def edit_and_approve_first_example(page: Page) -> None:
    question, answer = (
        message["content"] for message in KOREAN_ROWS[0]["messages"][1:]
    )
    page.goto("/datasets/")
    page.get_by_role("link", name=DATASET).click()
    page.get_by_role("link", name="Examples", exact=True).click()
    rows = page.locator(".example-table tbody tr")
    page.get_by_label("Search all text").fill(question)
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    assistant_turn = page.locator("textarea:visible").nth(2)
    expect(assistant_turn).to_have_value(answer)
    assistant_turn.fill(ANSWER)
    page.get_by_role("button", name="Save and approve").click()
    expect(rows.locator(".state--approved")).to_be_visible()


def freeze(page: Page) -> None:
    page.goto("/datasets/")
    page.get_by_role("link", name=DATASET).click()
    page.get_by_role("link", name="Freeze").click()
    page.get_by_role("button", name="Freeze").click()
    version = page.get_by_role("heading", name="Version 1")
    link = page.get_by_role("link", name="To version 1")  # if it was frozen at once
    expect(version.or_(link)).to_be_visible()
    if link.is_visible():
        link.click()
    expect(version).to_be_visible()


def launch(page: Page) -> None:
    page.get_by_role("link", name="Launch a job").click()
    page.get_by_label("Epochs").fill("3")
    page.get_by_label("Suffix").fill("bookshop")
    page.get_by_role("button", name="Launch").click()
    expect(page).to_have_url(re.compile(r"/jobs/\d+/$"))
    expect(page.locator(".state--succeeded").first).to_be_visible(timeout=20 * MINUTE)


def ask(page: Page) -> None:
    page.get_by_label("Question", exact=True).fill(
        KOREAN_ROWS[0]["messages"][1]["content"]
    )
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".answer__text")).to_have_count(2, timeout=3 * MINUTE)


def test_from_a_file_to_an_answer(page: Page, site: Site):
    sign_in(page, site)
    import_file(page, KOREAN_FILE)
    edit_and_approve_first_example(page)
    freeze(page)
    launch(page)
    ask(page)

    by_tuned, by_base = page.locator(".answer__text").all_inner_texts()
    assert by_tuned
    assert by_tuned != by_base
