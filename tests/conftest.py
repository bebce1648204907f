import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.db import OperationalError, connection
from django.test import TransactionTestCase
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright

from jobs_app import services
from teams_app import append_only
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.tuning_server_app import schema_check

SECONDS_TO_FINISH = 10
TUNING_SERVER = Path(__file__).parent / "tuning_server_app"
TRAIN_OR_ANSWER = (TUNING_SERVER / "training", TUNING_SERVER / "inference")

# A landing is judged by the change, not by the day's luck; other runs look further.
hypothesis.settings.register_profile("landing", derandomize=True)
if os.environ.get("CI") == "true":
    hypothesis.settings.load_profile("landing")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What trains and answers knows no database: once is enough for both kinds."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in TRAIN_OR_ANSWER):
            item.add_marker(pytest.mark.torch)


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """A request leaves its language with the thread that answered it: this one."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _answers_of_v1_keep_the_contract() -> Iterator[None]:
    """Every answer of the tuning server is what OpenAI's own description says."""
    schema_check.violations.clear()
    yield
    assert schema_check.violations == []


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_audit_log() -> Iterator[None]:
    """Django empties every table after a transactional test, and this one refuses."""
    empty = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def open_and_empty(case: TransactionTestCase) -> None:
        when_free(lambda: append_only.remove(connection))
        when_free(lambda: empty(case))  # ends with post_migrate: the triggers are back

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", open_and_empty)
    yield
    patch.undo()


def when_free(change: Callable[[], object]) -> None:
    """A live server may still be reading for a page that is closed by now."""
    end = time.monotonic() + SECONDS_TO_FINISH
    while True:
        try:
            change()
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def all_alive(db: None) -> None:
    """Every background process has just shown that it lives."""
    services.beat()
    services.beat("trainer")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file: Playwright cannot start beside itself, and where it has ended,
    Django's database is free again."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Install Debian's chromium.")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
