"""Every page: no axe finding, in both languages, light and dark, wide and narrow."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from teams_app.models import Role, Team, User
from tests.browser.pages import PAGES
from tests.factories import make_member, make_team, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 800}


@pytest.fixture
def team() -> Team:
    return make_team(name="The card players of the northern branch")


@pytest.fixture
def superuser(team: Team) -> User:
    return make_member(
        Role.OWNER, team, username="yoonseo.kim.of.the.card.players", is_superuser=True
    )


def findings(page: Page) -> list[str]:
    """What axe finds, one line for each element."""
    options: dict[str, Any] = {
        "preload": False
    }  # preloading would set inline styles, against our CSP
    if "/admin/" in page.url:
        # Django's own template heads the column of a row's name with an empty cell.
        options["rules"] = {"empty-table-header": {"enabled": False}}
    return [
        f"{rule['id']}: {node['failureSummary']} {node['html']}"
        for rule in Axe().run(page, options=options).response["violations"]
        for node in rule["nodes"]
    ]


def overhang(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("address", PAGES, ids=lambda address: address.__name__)
@pytest.mark.parametrize(
    ("language", "scheme", "size"), [("en", "light", WIDE), ("ko", "dark", NARROW)]
)
def test_a_page_is_usable_by_all(
    page: Page,
    live_server: LiveServer,
    sign_in: Callable[[User], None],
    superuser: User,
    team: Team,
    address: Callable[[Team], str],
    language: str,
    scheme: str,
    size: dict[str, int],
):
    sign_in(superuser)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    cookie = {"name": "django_language", "value": language, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]

    page.goto(address(team))

    assert page.locator("html").get_attribute("lang") == language
    assert findings(page) == []
    assert overhang(page) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/sign-in/", "/no-such-page/"])
def test_pages_before_signing_in_are_usable_by_all(
    page: Page, console: list[str], scheme: str, path: str
):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path)
    assert findings(page) == []
    if path == "/no-such-page/":
        console.clear()  # Chromium reports the 404 itself


def test_a_refusal_is_usable_by_all(
    page: Page, console: list[str], sign_in: Callable[[User], None]
):
    sign_in(make_user(username="nobody"))
    page.goto(reverse("admin:index"))
    assert "in no team yet" in page.locator("main").inner_text()
    assert findings(page) == []
    console.clear()  # Chromium reports the 403 itself
