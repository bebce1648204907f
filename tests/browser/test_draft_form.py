"""The admin's form of a draft follows the provider that is chosen."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from teams_app.models import Role, User
from tests.factories import make_job, make_member, make_provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_another_provider_asks_other_fields(
    page: Page, sign_in: Callable[[User], None]
):
    able = make_provider(name="Able")
    lacking = make_provider(
        team=able.team, name="Lacking", kind="nebius", abilities={"seed": False}
    )
    job = make_job(provider=lacking)
    sign_in(make_member(Role.LAUNCHER, able.team))
    page.goto(reverse("admin:jobs_app_finetuningjob_change", args=[job.pk]))
    expect(page.get_by_label("Seed")).to_be_hidden()

    page.get_by_label("Provider").select_option("Able")
    page.get_by_label("Seed").fill("5")
    expect(page.get_by_text("It takes all that is asked below.")).to_be_visible()

    page.get_by_label("Provider").select_option("Lacking")
    expect(page.get_by_label("Seed")).to_be_hidden()
    expect(page.get_by_text("takes none of it")).to_contain_text("Seed")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/finetuningjob/")
    job.refresh_from_db()
    assert job.seed is None
