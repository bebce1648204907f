"""An import's page while the import runs, and its rejected lines mended by hand."""

from collections.abc import Callable

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from datasets_app import services
from datasets_app.models import ImportRun, RunStatus
from teams_app.models import Role, User
from tests.datasets_app.import_runs import run, start
from tests.factories import chat_line, chat_lines, make_dataset, make_member, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NO_ANSWER = b'{"messages": [{"role": "user", "content": "Hi"}]}\n'


@pytest.fixture
def dataset(sign_in: Callable[[User], None]):
    dataset = make_dataset(team=make_team())
    sign_in(make_member(Role.CURATOR, dataset.team))
    return dataset


def test_the_page_follows_the_import_and_then_offers_what_can_be_done(
    page: Page, dataset
):
    started = start(chat_lines(100), dataset=dataset)
    page.goto(f"/datasets/imports/{started.pk}/")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()

    ImportRun.objects.update(
        status=RunStatus.RUNNING, started_at=now(), heartbeat_at=now(), n_read=40
    )
    expect(page.locator(".stat").filter(has_text="Rows read")).to_contain_text("40")
    expect(page.get_by_role("button", name="Cancel the import")).to_be_visible()

    ImportRun.objects.update(status=RunStatus.PENDING, n_read=0)
    services.run_import(started)
    expect(page.get_by_role("link", name="Undo the import…")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the import")).to_have_count(0)


def test_a_running_import_is_cancelled_by_its_button(page: Page, dataset):
    started = start(chat_lines(100), dataset=dataset)
    page.goto(f"/datasets/imports/{started.pk}/")
    page.get_by_role("button", name="Cancel the import").click()

    expect(page.get_by_role("button", name="Go on where it stopped")).to_be_visible()
    started.refresh_from_db()
    assert started.status == RunStatus.CANCELLED


def test_rejected_lines_are_mended_one_after_the_other(page: Page, dataset):
    done = run(NO_ANSWER + chat_lines(1) + b"nope\n", dataset=dataset)
    page.goto(f"/datasets/imports/{done.pk}/")
    page.get_by_role("link", name="Mend line 1").click()
    editor = page.get_by_label("The line")
    editor.fill('{"messages": []}')
    page.get_by_role("button", name="Check it and add the row").click()
    expect(page.get_by_role("alert")).to_contain_text("The row has no messages")
    expect(editor).to_have_value('{"messages": []}')

    editor.fill(chat_line("Hi", "Hello").decode())
    page.get_by_role("button", name="Check it and add the row").click()
    expect(page.get_by_role("heading", name="Line 3 of rows.jsonl")).to_be_visible()
    editor.fill(chat_line("Bye", "See you").decode())
    page.get_by_role("button", name="Check it and add the row").click()

    expect(page.get_by_text("Of these mended")).to_be_visible()
    assert dataset.examples.count() == 3
