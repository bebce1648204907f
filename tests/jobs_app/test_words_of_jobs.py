"""What people read about jobs: notices, advice, the story, where the site is."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from jobs_app.advice import error_sentence, what_to_do
from jobs_app.links import full_address
from jobs_app.models import Approval, EventType, JobStatus, Notice, NoticeKind
from jobs_app.notice_texts import data_of, text_of
from jobs_app.providers.sentences import advice_for
from jobs_app.timeline import N_SHOWN, timeline
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider, make_team

pytestmark = pytest.mark.django_db


def words(kind: NoticeKind, **fields: Any) -> str:
    notice = Notice(kind=kind, **{"team": make_team(), **fields})
    text = text_of(notice, "en")
    return " ".join([text.title, *text.lines])


def request_of(job: Any, **fields: Any) -> Approval:
    return Approval.objects.create(job=job, **{"reasons": ["always"], **fields})


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (NoticeKind.FINISHED, {}, "The tuned model: ft:cards"),
        (NoticeKind.FAILED, {}, "Its page says why"),
        (NoticeKind.UNSURE, {}, "On its page somebody must say so"),
        (NoticeKind.STALLED, {"since": "01:02"}, "Since 01:02 (UTC)"),
    ],
)
def test_a_notice_about_a_job_says_what_to_do_next(kind, data, said):
    job = make_job(fine_tuned_model="ft:cards")

    assert said in words(kind, job=job, data=data)


def test_a_test_says_that_notices_get_through():
    assert "notices get through" in words(NoticeKind.TEST)


def test_of_a_shutdown_model_and_day_are_told():
    data = {"model": "base-model", "date": "2027-01-06", "n": 3}

    assert "base-model is shut down on 2027-01-06" in words(
        NoticeKind.SHUTDOWN, data=data
    )


def test_who_asks_for_an_approval_is_named_and_what_it_costs():
    job = make_job()
    by = make_member(Role.LAUNCHER, job.team, username="hana")
    request_of(job, requested_by=by, usd=Decimal("12.5"))

    said = words(NoticeKind.APPROVAL_NEEDED, job=job)

    assert "Asked for by hana." in said
    assert "12.50 USD" in said
    assert "approves every launch" in said


def test_an_approval_that_nobody_any_more_asked_for_is_readable():
    job = make_job()
    request_of(job)

    said = words(NoticeKind.APPROVAL_NEEDED, job=job)

    assert "Asked for by –." in said
    assert "What it costs is not known." in said


def test_who_declined_is_named_with_the_reason():
    job = make_job()
    by = make_member(Role.OWNER, job.team, username="minsu")
    decided = {"decided_at": now(), "is_approved": False}
    request_of(job, decided_by=by, comment="Too dear.", **decided)

    said = words(NoticeKind.DECLINED, job=job)

    assert "Decided by minsu. Too dear." in said
    assert "Asked for" not in said


def test_a_decision_of_somebody_who_left_is_readable():
    job = make_job()
    request_of(job, decided_at=now(), is_approved=True)

    assert "Decided by –." in words(NoticeKind.APPROVED, job=job)


def test_a_program_is_told_the_model_and_the_code():
    job = make_job(fine_tuned_model="ft:cards", error={"code": "bad_file"})

    data = data_of(Notice(kind=NoticeKind.FAILED, team=job.team, job=job))

    assert (data["fine_tuned_model"], data["error_code"]) == ("ft:cards", "bad_file")


@pytest.mark.parametrize("error", [{}, {"message": "Out of luck"}])
def test_a_program_is_told_null_where_there_is_no_model_and_no_code(error):
    job = make_job(error=error)

    data = data_of(Notice(kind=NoticeKind.FAILED, team=job.team, job=job))

    assert (data["fine_tuned_model"], data["error_code"]) == (None, None)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"message": "Out of luck"}, "Out of luck."),
        ({"message": "Why?"}, "Why?"),
        ({"message": None}, ""),
    ],
)
def test_an_error_ends_as_a_sentence(error, sentence):
    assert error_sentence(make_job(error=error)) == sentence


@pytest.mark.parametrize("code", ["", "training_not_available"])
def test_the_advice_is_that_for_the_code(code):
    error = {"code": code} if code else {}

    assert what_to_do(make_job(error=error)) == advice_for(code)


def test_a_mail_leads_to_the_sites_own_address(settings):
    settings.SITE_URL = "https://tune.example/"
    make_provider(kind="built_in", base_url="http://127.0.0.1:8123/v1")

    assert full_address("/jobs/1/") == "https://tune.example/jobs/1/"


def test_without_a_site_url_a_mail_leads_to_where_the_built_in_server_is(settings):
    settings.SITE_URL = ""
    make_provider(base_url="https://models.example/v1")
    make_provider(kind="built_in", base_url="http://127.0.0.1:8123/v1")

    assert full_address("/jobs/1/") == "http://127.0.0.1:8123/jobs/1/"


def test_a_long_story_shows_its_newest_lines_and_counts_the_rest():
    job = make_job()
    for n in range(N_SHOWN + 5):
        job.events.create(message=f"Line {n}", created_at=now() + timedelta(seconds=n))

    story = timeline(job)

    assert len(story.lines) == N_SHOWN
    assert story.lines[0].event.message == f"Line {N_SHOWN + 4}"
    assert story.n_hidden == 5


@pytest.mark.parametrize("n_lines", [1, N_SHOWN])
def test_a_story_that_fits_hides_nothing(n_lines):
    job = make_job()
    for n in range(n_lines):
        job.events.create(message=f"Line {n}")

    story = timeline(job)

    assert (len(story.lines), story.n_hidden) == (n_lines, 0)


def test_of_a_long_story_no_more_is_read_than_is_shown():
    with CaptureQueriesContext(connection) as queries:
        timeline(make_job())

    assert any(f"LIMIT {N_SHOWN + 1}" in query["sql"] for query in queries)


def test_numbers_are_counted_and_not_shown():
    job = make_job()
    job.events.create(message="It moved")
    job.events.create(type=EventType.METRICS, message="Step 1", data={"step": 1})

    story = timeline(job)

    assert [line.event.message for line in story.lines] == ["It moved"]
    assert story.n_metrics == 1


def test_every_line_is_there_for_whoever_asks():
    job = make_job()
    for n in range(N_SHOWN + 5):
        job.events.create(message=f"Line {n}")

    story = timeline(job, every=True)

    assert (len(story.lines), story.n_hidden) == (N_SHOWN + 5, 0)


@pytest.mark.parametrize(
    ("kind", "data", "label"),
    [
        (EventType.STATUS, {"to": JobStatus.FAILED}, JobStatus.FAILED.label),
        (EventType.STATUS, {}, ""),
        (EventType.STATUS, "failed", ""),
        (EventType.MESSAGE, {"to": "failed"}, ""),
    ],
)
def test_only_our_own_moves_bear_a_status(kind, data, label):
    job = make_job()
    job.events.create(type=kind, message="It moved", data=data)

    assert timeline(job).lines[0].label == str(label)
