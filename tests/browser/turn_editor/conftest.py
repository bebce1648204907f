"""The editor of one example, open in a browser."""

import pytest
from django.urls import reverse

from datasets_app.models import Example
from teams_app.models import Role
from tests.browser.turn_editor.editor import HOSTILE
from tests.factories import make_example, make_member


@pytest.fixture
def example() -> Example:
    return make_example(
        messages=[
            {"role": "system", "content": HOSTILE},
            {"role": "user", "content": "네더 블레이드는?"},
            {"role": "assistant", "content": "20 damage."},
        ]
    )


@pytest.fixture
def open_example(page, sign_in):
    """Opens the page of an example as a member of its team."""

    def open_example(row: Example, shown: str = "Turn 1"):
        sign_in(make_member(Role.REVIEWER, row.dataset.team))
        page.goto(reverse("admin:datasets_app_example_change", args=[row.pk]))
        page.get_by_label(shown).first.wait_for()
        return page

    return open_example


@pytest.fixture
def editor(open_example, example):
    """The example's page, open; `save()` stores it and gives the row as it is then."""
    return open_example(example)
