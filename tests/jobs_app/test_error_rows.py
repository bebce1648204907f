"""A provider names a row by its line; the job's page leads to the example."""

import pytest
from django.urls import reverse

from datasets_app.models import Split
from datasets_app.services import freeze
from jobs_app.error_rows import MAX_ROWS, rows_named
from jobs_app.models import JobStatus
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_job, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    dataset = make_dataset()
    for position in range(1, 13):
        make_example(dataset=dataset, position=position)
    return freeze(dataset=dataset, by=None)


def failed(version, message, **error):
    return make_job(
        dataset_version=version,
        status=JobStatus.FAILED,
        error={"code": "invalid_file_format", "message": message, **error},
    )


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("Example 3 cannot be parsed", [3]),
        ("Line 12 is not a dictionary", [12]),
        ("Row #4: missing role; example 2, message 1", [2, 4]),
        ("The file has 10 examples, 20 are needed", []),
        ("Example 99999 is too long", []),
        ("The file is empty", []),
    ],
)
def test_the_rows_it_names_are_found(version, message, lines):
    named = rows_named(failed(version, message))

    assert [row.line_number for row in named] == lines


def test_a_row_leads_to_its_example(client, version):
    job = failed(version, "Example 3 cannot be parsed")
    client.force_login(make_member(Role.CURATOR, job.team))
    example = version.rows.get(split=Split.TRAIN, line_number=3).example_id

    page = client.get(f"/jobs/{job.pk}/").content.decode()

    assert reverse("admin:datasets_app_example_change", args=[example]) in page


def test_an_example_that_was_deleted_leads_nowhere(version):
    row = version.rows.get(line_number=3)
    version.dataset.examples.filter(pk=row.example_id).delete()

    [named] = rows_named(failed(version, "Example 3 cannot be parsed"))

    assert named.example is None


def test_rows_of_the_validation_file_are_looked_for_there(version):
    job = failed(version, "Example 1 is bad", param="validation_file")

    assert rows_named(job) == []


def test_a_job_that_did_not_fail_names_no_row(version):
    job = failed(version, "Example 3 cannot be parsed")
    job.status = JobStatus.RUNNING

    assert rows_named(job) == []


def test_at_most_ten_rows_are_led_to(version):
    message = " ".join(f"Line {n}" for n in range(1, 13))

    assert len(rows_named(failed(version, message))) == MAX_ROWS


def test_the_rows_are_those_of_the_version_that_was_sent(version):
    freeze(dataset=version.dataset, by=None)

    assert len(rows_named(failed(version, "Example 3 cannot be parsed"))) == 1
