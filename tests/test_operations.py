"""What those ask who keep the site running."""

import json
import logging

import pytest
from django.db import connection

from finetune_site import health
from finetune_site.logs import configuration
from jobs_app import services
from jobs_app.log_fields import about_job
from jobs_app.models import JobStatus, RequestResult, count_requests
from jobs_app.providers import ProviderRejected
from jobs_app.services import broker
from teams_app.services import make_token
from tests.factories import make_job, make_provider, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker_up(monkeypatch):
    monkeypatch.setattr(broker, "answers", lambda: True)


def metrics(client, user):
    token = make_token(user=user, name="prometheus")
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def test_a_live_process_needs_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


def test_ready_with_database_and_broker(client, broker_up):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"database": "ok", "broker": "ok"},
    )


def test_not_ready_without_a_broker(client):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["broker"] == "does not answer"


def test_not_ready_before_migrate(client, broker_up):
    health._check_migrations.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'jobs_app'")
    try:
        assert client.get("/readyz").json()["database"] == "needs ./manage.py migrate"
    finally:
        health._check_migrations.cache_clear()


def test_metrics_are_for_superusers(client):
    assert client.get("/metrics").status_code == 401
    assert metrics(client, make_user()).status_code == 401
    assert metrics(client, make_user(is_superuser=True)).status_code == 200


def test_metrics_tell_of_jobs_requests_ticks_and_the_broker(client):
    job = make_job(status=JobStatus.RUNNING)
    count_requests(job.provider, {RequestResult.OK: 3})
    count_requests(job.provider, {RequestResult.OK: 1, RequestResult.LIMITED: 1})
    services.beat(seconds=0.25)
    page = metrics(client, make_user(is_superuser=True)).content.decode()

    assert 'finetune_site_jobs{status="running"} 1.0' in page
    assert 'result="ok"} 4.0' in page
    assert 'result="limited"} 1.0' in page
    assert 'finetune_site_round_seconds{process="tick"} 0.25' in page
    assert "finetune_site_broker_up 0.0" in page


def test_the_page_of_processes_shows_the_teams_own_providers(client):
    stranger = make_provider(name="Strangers' provider")
    job = make_job()
    client.force_login(make_user(is_superuser=False))
    assert str(stranger) not in client.get("/processes/").content.decode()

    client.force_login(make_user(is_superuser=True))
    assert str(job.provider) in client.get("/processes/").content.decode()


def written(record_maker, *, as_json):
    formatter = configuration(as_json=as_json)["formatters"]["line"]
    make = formatter.pop("()")
    if as_json:
        from pythonjsonlogger.json import JsonFormatter as make
    options = {"fmt": formatter.get("fmt") or formatter["format"], "style": "{"}
    return make(**options).format(record_maker())


def record():
    logger = logging.getLogger("jobs_app")
    about = {"job": 3, "request_id": "req_1"}
    return logger.makeRecord(
        "jobs_app", logging.WARNING, "", 1, "polled", (), None, extra=about
    )


def test_a_log_line_says_which_job_and_which_request():
    assert written(record, as_json=False) == (
        "WARNING jobs_app: polled [job=3 request_id=req_1]"
    )


def test_json_lines_carry_the_same_as_fields():
    line = json.loads(written(record, as_json=True))

    assert (line["message"], line["job"], line["request_id"]) == ("polled", 3, "req_1")
    assert line["levelname"] == "WARNING"


def test_a_providers_code_begins_no_log_line():
    forged = record()
    forged.problem = "no\nERROR root: all is lost"

    assert "\n" not in written(lambda: forged, as_json=False)


def test_a_providers_words_are_no_part_of_a_log_line():
    """They may quote what the team trains on."""
    words = "row 3: my secret answer"
    error = ProviderRejected(words, code="invalid_file_format", request_id="req_9")
    about = about_job(make_job(), error)

    assert words not in str(about)
    assert (about["problem"], about["request_id"]) == ("invalid_file_format", "req_9")
