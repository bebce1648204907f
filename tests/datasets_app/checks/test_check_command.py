from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from datasets_app.services import checks, runs
from teams_app.access import default_team
from tests.factories import make_dataset, make_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    return make_dataset(team=default_team(), name="Cards")


def run(name: str) -> tuple[int, str]:
    """The exit status and what was said."""
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_dataset", name, stdout=said)
    return ended.value.code, said.getvalue()  # type: ignore[return-value]


def test_a_dataset_that_would_be_refused_ends_with_status_1(dataset):
    make_example(dataset=dataset)
    status, said = run("Cards")

    assert status == 1
    assert "ERROR" in said
    assert "There are too few training rows." in said


def test_a_good_dataset_ends_with_status_0(dataset):
    for n in range(10):
        turns = [
            {"role": "user", "content": f"What is the number after {'I' * (3 * n)}?"},
            {"role": "assistant", "content": "abcdefghijklm"[n:] * 3},
        ]
        make_example(dataset=dataset, messages=turns)
    status, said = run("Cards")

    assert (status, "0 errors, 0 warnings" in said) == (0, True)


def test_while_a_worker_checks_the_command_says_so(dataset):
    runs.claim(checks.request_check(dataset))
    with pytest.raises(CommandError, match="A worker is checking"):
        call_command("check_dataset", "Cards")
