import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests: a second Playwright cannot start beside the first."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
