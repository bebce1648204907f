"""Headless Chromium on a live server; a page that logs an error fails its test."""

import os
import threading
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from jobs_app import services
from teams_app.models import User

SESSION_COOKIE = "sessionid"
SECONDS_TO_ANSWER = 10


@pytest.fixture(autouse=True, scope="session")
def _database_beside_playwright() -> Iterator[None]:
    """Playwright's loop runs in this thread, which makes Django refuse the database."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=live_server.url, locale="en")
    yield context
    context.close()
    wait_for_answers()


def wait_for_answers() -> None:
    """A page that is closed left requests behind; none may reach the next test."""
    for thread in threading.enumerate():
        if thread.name.endswith("(process_request_thread)"):
            thread.join(SECONDS_TO_ANSWER)


@pytest.fixture
def console() -> list[str]:
    """What the browser complained of; a test that expects complaints clears it."""
    return []


@pytest.fixture
def page(context: BrowserContext, console: list[str]) -> Iterator[Page]:
    """A page whose script errors and policy violations fail the test."""

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            console.append(f"{shown.url}: {message.text}")

    shown = context.new_page()
    shown.on("console", note)
    shown.on("pageerror", lambda error: console.append(f"{shown.url}: {error}"))
    yield shown
    assert console == []


@pytest.fixture
def sign_in(context: BrowserContext, live_server: LiveServer) -> Callable[[User], None]:
    """Sign a user in without the form, while all background processes live."""

    def sign_in(user: User) -> None:
        services.beat()
        services.beat("trainer")
        client = Client()
        client.force_login(user)
        value = client.cookies[SESSION_COOKIE].value
        context.add_cookies(
            [{"name": SESSION_COOKIE, "value": value, "url": live_server.url}]
        )

    return sign_in
