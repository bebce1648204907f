import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright

from jobs_app import services
from teams_app import append_only
from tests.browser.chromium import CHROMIUM, FLAGS

# A landing is judged by the change, not by the day's luck; other runs look further.
hypothesis.settings.register_profile("landing", derandomize=True)
if os.environ.get("CI") == "true":
    hypothesis.settings.load_profile("landing")


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """A request leaves its language with the thread that answered it: this one."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_audit_log() -> Iterator[None]:
    """Django empties every table after a transactional test, and this one refuses."""
    empty = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def open_and_empty(case: TransactionTestCase) -> None:
        append_only.remove(connection)
        empty(case)  # which ends with post_migrate: the triggers are back

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", open_and_empty)
    yield
    patch.undo()


@pytest.fixture
def all_alive(db: None) -> None:
    """Every background process has just shown that it lives."""
    services.beat()
    services.beat("trainer")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests: a second Playwright cannot start beside the first."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
