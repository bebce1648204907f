"""What may be done to a job, and that each act is told of."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import (
    Approval,
    FineTuningJob,
    IllegalTransition,
    JobStatus,
    Notice,
    Provider,
)
from jobs_app.providers import ProviderRejected
from jobs_app.services import acting, approvals, launching, submitting
from jobs_app.services.approvals import ApprovalRefused
from jobs_app.services.uploading import FileRefused
from jobs_app.services.waiting import NotYet, Unsure
from teams_app.models import AuditEntry, Role, Verb
from tests.factories import (
    chat_lines,
    make_job,
    make_member,
    make_user,
    make_version,
)

S = JobStatus
LATER = timedelta(hours=3)
AGO = timedelta(hours=-3)


def job_at(kind: str, status: JobStatus, **fields: Any) -> FineTuningJob:
    """One that needs no database."""
    provider = Provider(kind=kind, name="Provider", abilities={})
    return FineTuningJob(pk=1, status=status, provider=provider, **fields)


@pytest.mark.parametrize(
    ("kind", "status", "can"),
    [
        ("openai", S.PAUSED, True),
        ("openai", S.RUNNING, False),
        ("nebius", S.PAUSED, False),
    ],
)
def test_only_what_stands_still_goes_on_and_only_where_that_is_possible(
    kind, status, can
):
    assert acting.can_resume(job_at(kind, status)) is can


@pytest.mark.parametrize("status", [S.DRAFT, S.SUCCEEDED, S.DECLINED])
def test_what_is_not_open_cannot_be_cancelled(status):
    assert not launching.can_cancel(job_at("openai", status))


def test_what_does_not_stand_still_is_not_told_to_go_on():
    running = job_at("openai", S.RUNNING, remote_id="ftjob-1")
    with pytest.raises(IllegalTransition, match="cannot be resumed; it is running"):
        acting.resume_job(running, by=None)


@pytest.mark.parametrize(
    ("kind", "status", "remote_id", "why"),
    [
        ("nebius", S.RUNNING, "ftjob-1", "cannot pause jobs"),
        ("nebius", S.PENDING, "", "it is pending"),
        ("nebius", S.SUCCEEDED, "ftjob-1", "it is succeeded"),
        ("openai", S.PAUSED, "ftjob-1", "it is paused"),
    ],
)
def test_the_reason_is_the_one_that_a_person_can_do_something_about(
    kind, status, remote_id, why
):
    with pytest.raises(IllegalTransition, match=why):
        acting.pause_job(job_at(kind, status, remote_id=remote_id), by=None)


@pytest.mark.parametrize(
    ("fields", "may_be"),
    [
        ({"status": S.UNSURE, "create_sent_at": now()}, True),
        ({"status": S.AWAITING_APPROVAL, "create_sent_at": now()}, True),
        ({"status": S.UNSURE}, False),
        ({"status": S.RUNNING, "create_sent_at": now()}, False),
    ],
)
def test_only_what_was_sent_and_is_not_known_may_be_there(fields, may_be):
    assert FineTuningJob(**fields).may_be_there is may_be


@pytest.mark.parametrize(
    ("status", "wait", "is_so"),
    [
        (S.PENDING, LATER, True),
        (S.AWAITING_APPROVAL, LATER, True),
        (S.PENDING, AGO, False),
        (S.DRAFT, LATER, False),
        (S.RUNNING, LATER, False),
    ],
)
def test_only_what_was_launched_waits_for_its_time(status, wait, is_so):
    job = FineTuningJob(status=status, scheduled_for=now() + wait)
    assert job.is_for_later is is_so


def test_no_launch_is_due_before_it_was_made():
    began = now()
    assert FineTuningJob(scheduled_for=began + AGO).due_at >= began


@pytest.mark.parametrize("reading_at", [None, now()])
def test_what_is_over_is_followed_until_its_last_lines_are_read(reading_at):
    job = FineTuningJob(status=S.SUCCEEDED, next_reading_at=reading_at)
    assert job.is_followed is (reading_at is not None)


@pytest.mark.parametrize(
    ("trained", "estimated", "off", "is_as_estimated"),
    [
        (None, 100, None, False),
        (100, None, None, False),
        (100, 0, None, False),
        (100, 100, 0, True),
        (110, 100, 10, False),
    ],
)
def test_an_estimate_is_judged_where_there_is_one(
    trained, estimated, off, is_as_estimated
):
    job = FineTuningJob(trained_tokens=trained, estimated_tokens=estimated)
    assert job.percent_off == (off if off is None else pytest.approx(off))
    assert job.is_as_estimated is is_as_estimated


@pytest.mark.parametrize("given", [{"provider_id": 1}, {"dataset_version_id": 1}, {}])
def test_a_form_with_a_field_left_empty_is_checked_all_the_same(given):
    FineTuningJob(**given).clean()


@pytest.mark.parametrize(
    "stop", [NotYet("why", 5), Unsure("why", []), FileRefused("why", "train")]
)
def test_a_submission_that_stops_says_why_and_nothing_else(stop):
    assert str(stop) == "why"


# With rows ------------------------------------------------------------------------


@pytest.mark.django_db
class TestWithRows:
    def test_a_request_that_is_repeated_is_answered_as_the_first_time(self):
        """Its time may be past by now; the job of this key is there."""
        job = make_job(status=S.PENDING, launch_key=uuid4())

        again = services.create_job(
            provider=job.provider,
            dataset_version=job.dataset_version,
            base_model="base-model",
            hyperparameters={},
            by=None,
            launch_key=job.launch_key,
            scheduled_for=now() + AGO,
        )

        assert again == job

    def test_a_draft_that_was_stored_unchecked_is_checked_at_its_launch(self):
        draft = make_job(dataset_version=make_version(training=chat_lines(9)))

        with pytest.raises(ValidationError, match="9 training rows"):
            services.launch_job(draft, by=None)

    def test_a_job_that_began_to_run_this_moment_is_cancelled_there(
        self, provider, fake
    ):
        remote = fake.add_job(status="running")
        job = make_job(provider=provider, status=S.PENDING)
        there = {"status": S.RUNNING, "remote_id": remote["id"]}
        FineTuningJob.objects.update(**there, status_changed_at=now())

        services.cancel_job(job, by=None)

        assert fake.jobs[remote["id"]]["status"] == "cancelled"

    def test_a_wish_to_cancel_stands_in_the_log(self):
        job = make_job(status=S.SUBMITTING)

        services.cancel_job(job, by=make_user(username="mina"))

        entry = AuditEntry.objects.get(thing_id=job.pk)
        assert (entry.verb, entry.who) == (Verb.CANCELLED, "mina")

    @pytest.mark.parametrize("act", ["pause", "resume"])
    def test_who_lets_a_job_stand_or_go_on_stands_in_the_log(self, provider, fake, act):
        status = {"pause": S.RUNNING, "resume": S.PAUSED}[act]
        remote = fake.add_job(status=status)
        job = make_job(provider=provider, status=status, remote_id=remote["id"])

        getattr(services, f"{act}_job")(job, by=None)

        assert AuditEntry.objects.get().verb == f"{act}d"

    def test_what_was_launched_again_says_so(self):
        failed = make_job(status=S.FAILED)

        again = services.retry_job(failed, by=None)

        assert failed.events.get().message == f"launched again as job {again.pk}"

    @pytest.mark.parametrize("status", [S.PENDING, S.AWAITING_APPROVAL])
    def test_without_a_request_there_is_nothing_to_decide(self, status):
        job = make_job(status=status)
        if status == S.PENDING:
            approvals.ask(job, [], None, by=None)

        with pytest.raises(ApprovalRefused, match="waits for no approval"):
            approvals.approve(job, by=make_member(Role.LAUNCHER, job.team))

    @pytest.mark.parametrize("decision", [None, False])
    def test_only_an_approval_lets_a_job_run(self, decision):
        job = make_job()
        Approval.objects.create(
            job=job,
            terms=approvals.terms_of(job),
            is_approved=decision,
            decided_at=now(),
        )
        assert not approvals.still_holds(job)

    def test_who_decides_a_second_time_is_told_that_it_is_decided(self):
        job = make_job(status=S.UNSURE, create_sent_at=now())
        stale = FineTuningJob.objects.get(pk=job.pk)
        services.take_as_ours(job, "ftjob-1", by=None)

        with pytest.raises(IllegalTransition, match="needs no decision"):
            services.take_as_ours(stale, "ftjob-1", by=None)

    def test_a_launch_that_nobody_was_asked_about_tells_of_no_approval(self):
        services.launch_job(make_job(), by=None)

        assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"code": "too_long", "reason": "refused"}, "too_long"),
        ({"reason": "refused"}, "refused"),
    ],
)
def test_a_job_keeps_the_providers_code_or_at_least_its_kind(given, code):
    assert submitting._error_fields(ProviderRejected("no", **given))["code"] == code
