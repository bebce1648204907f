from datetime import timedelta

import pytest
from django.utils.timezone import now

from teams_app.templatetags.spans import due, from_now, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (134, "2 min 14 s"),
        (3600 + 120, "1 h 02 min"),
        (90_000, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds, words):
    assert span(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(("seconds", "words"), [(30, "in 30 s"), (0, "now")])
def test_what_is_to_come(seconds, words):
    assert from_now(now() + timedelta(seconds=seconds + 0.1)) == words


def test_what_has_been():
    assert from_now(now() - timedelta(seconds=30)) == "30 s ago"


def test_what_should_have_begun_is_due_now():
    assert due(now() - timedelta(minutes=5)) == "now"


def test_nothing_is_said_of_no_moment():
    assert span(None) == from_now(None) == due(None) == ""
