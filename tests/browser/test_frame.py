"""The frame around every page: sign-in, language, account menu, keyboard."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from teams_app.models import Role, User
from tests.factories import make_member, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def member(sign_in: Callable[[User], None]) -> User:
    user = make_member(Role.OWNER, username="mina")
    sign_in(user)
    return user


def test_signing_in_leads_to_the_page_that_was_asked_for(page: Page):
    make_user(username="mina", password="correct horse")
    page.goto(reverse("account:tokens"))

    page.get_by_label("Username").fill("mina")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(reverse("account:tokens"))


def test_a_wrong_password_is_explained_on_the_page(page: Page):
    page.goto(reverse("login"))
    page.get_by_label("Username").fill("mina")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")


def test_the_language_button_keeps_the_page(page: Page, member: User):
    page.goto(reverse("account:tokens"))
    page.get_by_role("button", name="한국어").click()
    expect(page).to_have_url(reverse("account:tokens"))
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_account_menu_signs_out(page: Page, member: User):
    page.goto(reverse("account:tokens"))
    page.get_by_role("button", name="mina").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(reverse("login"))


def test_the_admin_has_the_portals_header(page: Page, member: User):
    page.goto(reverse("admin:index"))
    link = page.get_by_role("link", name="Admin", exact=True)
    expect(link).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("button", name="mina")).to_be_visible()


def test_the_first_tab_stop_skips_the_header(page: Page, member: User):
    page.goto(reverse("account:tokens"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_token_is_made_and_revoked(page: Page, member: User):
    page.goto(reverse("account:tokens"))
    page.get_by_label("Name").fill("nightly script")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("code.secret")).to_contain_text("fts_")

    page.get_by_role("button", name="Revoke nightly script").click()

    expect(page.get_by_text("no longer works")).to_be_visible()
    expect(page.get_by_role("button", name="Revoke nightly script")).to_have_count(0)


def test_the_form_of_a_tick_obeys_the_content_security_policy(
    page: Page, sign_in: Callable[[User], None]
):
    """django-celery-beat's own template has an inline script; ours stands before it."""
    sign_in(make_user(is_superuser=True))
    page.goto(reverse("admin:django_celery_beat_periodictask_add"))
    expect(page.get_by_label("Interval Schedule")).to_be_visible()
