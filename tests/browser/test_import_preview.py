"""The preview of an upload follows what is chosen."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from datasets_app.models import ImportRun
from teams_app.models import Role
from tests.browser.rows.datasets import uploaded_table
from tests.factories import make_member, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# New content listens to nothing before htmx has settled it: a moment, but a script
# is quicker than that.
UNSETTLED = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"


def test_columns_are_chosen_and_the_import_is_started(page, sign_in):
    team = make_team()
    sign_in(make_member(Role.CURATOR, team))
    run = uploaded_table(team)
    page.goto(reverse("datasets:import_preview", args=[run.pk]))
    turns = page.locator(".turn__text")
    expect(turns).to_have_text(["얼마예요?", "만 원입니다."])

    page.get_by_label("Question").select_option("출처")
    expect(turns).to_have_text(["게시판", "만 원입니다."])
    expect(page.locator(UNSETTLED)).to_have_count(0)
    page.get_by_label("A row is").select_option("alpaca")
    expect(page.get_by_text("The row has no “instruction”")).to_be_visible()
    expect(page.locator(UNSETTLED)).to_have_count(0)
    page.get_by_label("A row is").select_option("")
    expect(page.locator(UNSETTLED)).to_have_count(0)
    page.get_by_label("Question").select_option("출처")
    expect(page.locator(UNSETTLED)).to_have_count(0)
    page.get_by_label("Answer", exact=False).first.select_option("답변")
    expect(turns).to_have_text(["게시판", "만 원입니다."])
    page.get_by_role("button", name="Start the import").click()
    page.wait_for_url(reverse("datasets:import_run", args=[run.pk]))

    assert ImportRun.objects.get().mapping == {"user": "출처", "assistant": "답변"}
