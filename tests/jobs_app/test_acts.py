import json
from datetime import UTC, timedelta, timezone

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from jobs_app import services, tasks
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from jobs_app.providers import ProviderRejected
from teams_app.models import AuditEntry, Role, Verb
from teams_app.services import make_token
from tests.factories import make_job, make_member, make_provider, make_user

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=3)


@pytest.fixture
def running(provider, fake) -> FineTuningJob:
    remote = fake.add_job(status="running")
    return make_job(provider=provider, status=JobStatus.RUNNING, remote_id=remote["id"])


def waiting(**overrides) -> FineTuningJob:
    at = now() + LATER
    pending = {"status": JobStatus.PENDING, "scheduled_for": at, "next_poll_at": at}
    return make_job(**{**pending, **overrides})


def test_a_job_is_paused_and_resumed_and_the_story_says_who(running, fake):
    mina = make_user(username="mina")
    services.pause_job(running, by=mina)
    assert running.status == JobStatus.PAUSED

    services.resume_job(running, by=mina)

    assert running.status == JobStatus.QUEUED
    told = list(running.events.values_list("message", "created_by__username"))
    assert told == [
        ("pause requested by mina", "mina"),
        ("running → paused by mina", "mina"),
        ("resume requested by mina", "mina"),
        ("paused → queued by mina", "mina"),
    ]


def test_a_provider_that_cannot_pause_is_not_asked(running, fake):
    running.provider.kind = "nebius"
    running.provider.save()

    with pytest.raises(IllegalTransition, match="cannot pause"):
        services.pause_job(running, by=None)
    assert fake.requests == []


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.SUCCEEDED])
def test_only_what_runs_is_paused(status):
    with pytest.raises(IllegalTransition, match=status):
        services.pause_job(make_job(status=status), by=None)


def test_a_pause_that_the_provider_refuses_changes_nothing(running, fake):
    fake.refuses("POST", ".*/pause", 400, "not yet a step")

    with pytest.raises(ProviderRejected, match="not yet a step"):
        services.pause_job(running, by=None)
    assert running.events.count() == 0


def test_a_failed_job_is_launched_again_once_however_often_one_asks():
    failed = make_job(status=JobStatus.FAILED, suffix="cards", seed=7)

    again = services.retry_job(failed, by=None)
    twice = services.retry_job(failed, by=None)

    assert again == twice
    assert again.status == JobStatus.PENDING
    assert (again.suffix, again.seed) == ("cards", 7)
    assert again.launch_key != failed.launch_key


def test_a_job_that_did_not_fail_is_not_retried(running):
    with pytest.raises(IllegalTransition, match="running"):
        services.retry_job(running, by=None)


def test_a_launch_for_later_is_found_by_the_tick_when_its_time_has_come():
    job = make_job(scheduled_for=now() + LATER)
    services.launch_job(job, by=None)
    assert job.status == JobStatus.PENDING
    assert services.claim_due_submissions() == []

    a_moment_ago = now() - timedelta(seconds=1)
    FineTuningJob.objects.update(next_poll_at=a_moment_ago, scheduled_for=a_moment_ago)

    assert services.claim_due_submissions() == [job.pk]


def test_a_ring_before_the_time_is_not_heard(monkeypatch):
    job = waiting()
    submitted: list[FineTuningJob] = []
    monkeypatch.setattr(services, "submit_job", submitted.append)

    tasks.submit_job(job.pk)
    assert submitted == []
    FineTuningJob.objects.update(scheduled_for=now())
    tasks.submit_job(job.pk)
    assert submitted == [job]


def test_an_answer_about_another_job_takes_its_id_from_nobody(running, fake):
    make_job(provider=running.provider, remote_id="ftjob-other")
    mine = running.remote_id
    cancel = f"/v1/fine_tuning/jobs/{mine}/cancel"
    fake.answers("POST", cancel, 200, {"id": "ftjob-other", "status": "cancelled"})

    services.cancel_job(running, by=None)

    assert (running.status, running.remote_id) == (JobStatus.CANCELLED, mine)


def test_a_launch_for_later_can_be_moved_and_launched_now():
    job = waiting()
    sooner = now() + timedelta(hours=1)

    services.reschedule_job(job, sooner, by=make_user(username="mina"))
    assert (job.scheduled_for, job.next_poll_at) == (sooner, sooner)
    services.reschedule_job(job, None, by=None)

    assert services.claim_due_submissions() == [job.pk]
    assert not job.is_for_later


def test_who_moves_a_launch_stands_in_the_audit_log():
    job, mina = waiting(), make_user(username="mina")

    services.reschedule_job(job, None, by=mina)

    entry = AuditEntry.objects.get(thing_id=job.pk)
    assert (entry.who, entry.verb) == ("mina", Verb.CHANGED)
    assert entry.details == {"scheduled_for": None}


def test_who_names_a_deployment_stands_in_the_audit_log():
    job = make_job(deployment="mine")

    services.name_deployment(job, "theirs", by=make_user(username="mina"))

    entry = AuditEntry.objects.get(thing_id=job.pk)
    assert (entry.who, entry.details["deployment"]) == ("mina", ["mine", "theirs"])


def test_another_time_is_told_in_utc():
    job = waiting()
    seoul = timezone(timedelta(hours=9))
    later = (now() + timedelta(days=2)).astimezone(seoul)
    when = f"{later.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

    services.reschedule_job(job, later, by=make_user(username="mina"))

    assert job.events.latest("pk").message == f"to be launched at {when} by mina"


def test_a_launch_for_later_can_be_cancelled():
    job = waiting()

    services.cancel_job(job, by=None)

    assert job.status == JobStatus.CANCELLED


@pytest.mark.parametrize("overrides", [{"scheduled_for": None}, {"status": "running"}])
def test_what_does_not_wait_is_given_no_other_time(overrides):
    job = waiting(**overrides)

    with pytest.raises(IllegalTransition):
        services.reschedule_job(job, now() + LATER, by=None)


@pytest.mark.parametrize("days", [-1, 400])
def test_a_time_that_is_past_or_too_far_away_is_refused(days):
    with pytest.raises(ValidationError):
        services.reschedule_job(waiting(), now() + timedelta(days=days), by=None)


class TestDoors:
    @pytest.fixture
    def launcher(self, client, running):
        user = make_member(Role.LAUNCHER, running.team, username="mina")
        client.force_login(user)
        return user

    def test_the_page_offers_what_can_be_done(self, client, running, launcher):
        page = client.get(f"/jobs/{running.pk}/").text

        assert f"/jobs/{running.pk}/pause/" in page
        assert f"/jobs/{running.pk}/retry/" not in page
        assert f"?from={running.pk}" in page

    def test_pause_resume_and_retry_on_the_page(self, client, running, launcher):
        client.post(f"/jobs/{running.pk}/pause/")
        running.refresh_from_db()
        assert running.status == JobStatus.PAUSED
        client.post(f"/jobs/{running.pk}/resume/")
        running.refresh_from_db()
        assert running.status == JobStatus.QUEUED
        failed = make_job(provider=running.provider, status=JobStatus.FAILED)
        answer = client.post(f"/jobs/{failed.pk}/retry/")
        again = FineTuningJob.objects.order_by("-pk")[0]
        assert answer.headers["Location"] == f"/jobs/{again.pk}/"

    def test_another_time_on_the_page(self, client, running, launcher):
        job = waiting(provider=running.provider)
        url = f"/jobs/{job.pk}/schedule/"

        client.post(url, {"scheduled_for": "nonsense"})
        client.post(url, {"scheduled_for": "2001-01-01T10:00"})
        assert FineTuningJob.objects.get(pk=job.pk).is_for_later
        client.post(url, {"scheduled_for": ""})

        assert not FineTuningJob.objects.get(pk=job.pk).is_for_later

    @pytest.mark.parametrize("act", ["pause", "resume", "retry", "schedule"])
    def test_only_launchers_of_the_team_act(self, client, running, act):
        client.force_login(make_member(Role.REVIEWER, running.team))
        assert client.post(f"/jobs/{running.pk}/{act}/").status_code == 403
        client.force_login(make_member(Role.OWNER))
        assert client.post(f"/jobs/{running.pk}/{act}/").status_code == 404

    def test_the_admin_pauses_and_says_why_it_cannot(self, client, running, launcher):
        pending = make_job(provider=running.provider, status=JobStatus.PENDING)
        keys = {"_selected_action": [running.pk, pending.pk], "action": "pause"}

        url = "/admin/jobs_app/finetuningjob/"
        page = client.post(url, keys, follow=True).text

        running.refresh_from_db()
        assert running.status == JobStatus.PAUSED
        assert f"#{pending.pk}: Job {pending.pk} cannot be paused" in page

    def ask(self, client, user, method: str, path: str, **data) -> tuple[int, dict]:
        token = make_token(user=user, name="tests")
        answer = getattr(client, method)(
            f"/api/jobs/{path}",
            json.dumps(data),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        return answer.status_code, answer.json()

    def test_the_api_pauses_resumes_retries_clones_and_schedules(
        self, client, running, launcher
    ):
        def ask(method: str, path: str, **data) -> tuple[int, dict]:
            return self.ask(client, launcher, method, path, **data)

        assert ask("post", f"{running.pk}/pause")[1]["status"] == "paused"
        assert ask("post", f"{running.pk}/resume")[1]["status"] == "queued"
        assert ask("post", f"{running.pk}/retry")[0] == 409
        status, copy = ask("post", f"{running.pk}/clone", suffix="other")
        assert (status, copy["suffix"], copy["status"]) == (201, "other", "pending")
        job = waiting(provider=running.provider)
        status, told = ask("put", f"{job.pk}/schedule", scheduled_for=None)
        assert (status, told["scheduled_for"]) == (200, None)
        naive = {"scheduled_for": "2030-01-01T10:00"}
        assert ask("put", f"{job.pk}/schedule", **naive)[0] == 422

    def test_a_copy_may_go_to_another_provider(self, client, running, launcher):
        other = make_provider(team=running.team, name="Other")

        _status, copy = self.ask(
            client, launcher, "post", f"{running.pk}/clone", provider="Other"
        )
        assert copy["provider"] == other.name
        foreign = make_provider(name="Foreign").pk
        status, _error = self.ask(
            client, launcher, "post", f"{running.pk}/clone", provider=foreign
        )
        assert status == 404

    def test_what_a_provider_refuses_is_told_with_what_to_do(
        self, client, running, launcher, fake
    ):
        refusal = {"error": {"message": "no", "code": "training_not_available"}}
        fake.answers("POST", "/v1/fine_tuning/jobs/.*/pause", 403, refusal)

        status, told = self.ask(client, launcher, "post", f"{running.pk}/pause")

        assert (status, told["error"]["what"]) == (502, "The provider refused.")
        assert "no longer lets this organisation train" in told["error"]["why"]
        assert "another provider" in told["error"]["what_to_do"]
        assert "another provider" not in told["error"]["why"]


class TestWithoutCancel:
    """A check found that the provider cannot cancel."""

    @pytest.fixture
    def stuck(self, running) -> FineTuningJob:
        running.provider.abilities = {"cancel": False}
        running.provider.save()
        return running

    def test_it_is_not_asked_and_the_reason_is_told(self, stuck, fake):
        with pytest.raises(IllegalTransition, match="cannot cancel jobs"):
            services.cancel_job(stuck, by=None)

        stuck.refresh_from_db()
        assert (stuck.cancel_requested_at, fake.requests) == (None, [])

    def test_the_page_does_not_offer_it(self, client, stuck):
        client.force_login(make_member(Role.LAUNCHER, stuck.team))

        page = client.get(f"/jobs/{stuck.pk}/").content.decode()

        assert "cannot cancel jobs" in page
        assert "Cancel the job" not in page

    def test_what_is_not_there_yet_is_cancelled_here(self, stuck):
        job = make_job(provider=stuck.provider, status=JobStatus.PENDING)

        services.cancel_job(job, by=None)

        assert job.status == JobStatus.CANCELLED

    def test_a_wish_from_before_the_creation_asks_for_nothing_at_every_poll(
        self, stuck, fake
    ):
        FineTuningJob.objects.update(cancel_requested_at=now(), next_poll_at=now())

        services.poll_provider(stuck.provider)

        assert [each.method for each in fake.requests] == ["GET"]
