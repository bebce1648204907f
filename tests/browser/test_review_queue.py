"""The review queue by keyboard, with another reviewer at work beside."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from datasets_app.models import Comment, Dataset, Example, ReviewState
from datasets_app.services import decide
from teams_app.models import Role, User
from tests.factories import make_dataset, make_example, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


@pytest.fixture
def dataset(sign_in: Callable[[User], None]) -> Dataset:
    """Four rows wait; a reviewer of their team is signed in."""
    dataset = make_dataset()
    for n in range(4):
        turns = [
            {"role": "user", "content": f"질문 {n} {HOSTILE}"},
            {"role": "assistant", "content": f"Answer {n}."},
        ]
        make_example(dataset=dataset, messages=turns, state=ReviewState.IN_REVIEW)
    sign_in(make_member(Role.REVIEWER, dataset.team))
    return dataset


@pytest.fixture
def queue(page: Page, dataset: Dataset) -> Page:
    page.goto(f"/datasets/{dataset.pk}/review/")
    expect(page.get_by_role("heading", name="Row 1")).to_be_visible()
    return page


def shows(queue: Page, number: int) -> None:
    expect(queue.locator("#review-title")).to_contain_text(f"Row {number}")


def state_of(dataset: Dataset, number: int) -> str:
    return Example.objects.get(dataset=dataset, position=number).state


def test_rows_are_decided_and_taken_back_by_keys_alone(queue: Page, dataset: Dataset):
    queue.keyboard.press("a")
    shows(queue, 2)
    expect(queue.get_by_text("The row before is approved now.")).to_be_visible()
    assert state_of(dataset, 1) == "approved"

    queue.keyboard.press("u")
    shows(queue, 1)
    assert state_of(dataset, 1) == "in_review"

    queue.keyboard.press("r")
    expect(queue.get_by_label("Why?")).to_be_focused()
    queue.keyboard.type("a bit curt")
    queue.keyboard.press("Control+Enter")
    shows(queue, 2)
    row = Example.objects.get(dataset=dataset, position=1)
    assert (row.state, row.reject_reason) == ("rejected", "a bit curt")


def test_going_on_and_back_changes_nothing(queue: Page, dataset: Dataset):
    for key, number in (("n", 2), ("j", 3), ("k", 2), ("p", 1), ("p", 1)):
        queue.keyboard.press(key)
        shows(queue, number)
        queue.wait_for_timeout(100)
    assert {row.state for row in dataset.examples.all()} == {"in_review"}


def test_a_korean_keyboard_has_the_same_keys(queue: Page):
    queue.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'ㅜ', code: 'KeyN', bubbles: true}))"
    )
    shows(queue, 2)


def test_a_comment_is_written_and_writing_can_be_stopped(queue: Page, dataset: Dataset):
    queue.keyboard.press("c")
    queue.keyboard.type("anna asks")
    queue.keyboard.press("Escape")
    expect(queue.get_by_label("Comment", exact=True)).to_be_hidden()
    queue.keyboard.press("c")
    queue.keyboard.press("Control+Enter")
    expect(queue.locator(".comments")).to_contain_text("anna asks")
    assert Comment.objects.get().text == "anna asks"


def test_hostile_text_is_only_text(queue: Page):
    expect(queue.locator(".turn__text").first).to_contain_text(HOSTILE)
    assert queue.locator("#review img").count() == 0


def test_what_another_reviewer_decided_is_said_and_passed_over(
    queue: Page, dataset: Dataset
):
    first = Example.objects.get(dataset=dataset, position=1)
    decide(first, state=ReviewState.REJECTED, by=None, reason="No.")
    queue.keyboard.press("a")

    shows(queue, 2)
    expect(queue.locator(".notice--warning")).to_contain_text("changed this example")
    assert state_of(dataset, 1) == "rejected"


def test_the_last_row_leads_to_the_end(queue: Page, dataset: Dataset):
    for number in range(1, 5):
        shows(queue, number)
        queue.keyboard.press("a")
    expect(queue.get_by_text("No row waits here")).to_be_visible()
    queue.keyboard.press("u")
    shows(queue, 4)


def test_the_mouse_and_a_reload_do_as_well(queue: Page, dataset: Dataset):
    queue.get_by_role("button", name="Approve").click()
    shows(queue, 2)
    queue.reload()
    shows(queue, 2)
    queue.locator("summary", has_text="Reject").click()
    expect(queue.get_by_label("Why?")).to_be_focused()


def test_help_opens_by_its_key_and_editing_by_e(queue: Page, dataset: Dataset):
    queue.keyboard.press("?")
    expect(queue.get_by_text("take the last decision back")).to_be_visible()
    queue.keyboard.press("Escape")
    queue.keyboard.press("e")
    queue.wait_for_url("**/admin/datasets_app/example/*/change/")
