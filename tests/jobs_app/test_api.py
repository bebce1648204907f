import json
import uuid

import pytest
from django.utils.timezone import now

from jobs_app.models import EventType, FineTuningJob, JobStatus
from teams_app.models import Role
from teams_app.services import make_token
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def launcher(team):
    return make_member(Role.LAUNCHER, team)


@pytest.fixture
def token(launcher):
    return make_token(user=launcher, name="script")


@pytest.fixture
def version(team):
    return make_version(dataset=make_dataset(team=team, name="tone"))


@pytest.fixture
def call(client, token):
    """Call the API with the launcher's token; gives (status, JSON)."""

    def call(method, path, body=None, token=token, **headers):
        response = client.generic(
            method,
            f"/api{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **headers},
        )
        return response.status_code, response.json()

    return call


class TestWho:
    @pytest.mark.parametrize(
        "headers",
        [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}],
    )
    def test_without_a_valid_token_nobody_gets_in(self, client, headers):
        response = client.get("/api/jobs", headers=headers)

        assert response.status_code == 401
        assert "account page" in response.json()["error"]["what_to_do"]

    def test_the_browsers_session_is_no_token(self, client, launcher):
        client.force_login(launcher)

        assert client.get("/api/jobs").status_code == 401

    def test_a_token_of_somebody_inactive_is_none(self, call, launcher):
        launcher.is_active = False
        launcher.save()

        assert call("GET", "/jobs")[0] == 401


class TestLaunch:
    def test_a_datasets_newest_version_by_name(self, call, team, version, launcher):
        make_provider(team=team, default_base_model="tiny")
        newest = make_version(dataset=version.dataset, number=version.number + 1)
        status, job = call("POST", "/jobs", {"dataset": "tone"})

        row = FineTuningJob.objects.get()
        assert status == 201
        assert row.dataset_version == newest
        assert row.created_by == launcher
        assert (job["id"], job["status"]) == (row.pk, "pending")
        assert job["base_model"] == "tiny"
        assert job["url"] == f"http://testserver/jobs/{row.pk}/"

    def test_everything_can_be_said(self, call, team, version):
        make_provider(team=team)
        provider = make_provider(team=team, name="second")
        status, job = call(
            "POST",
            "/jobs",
            {
                "version": version.pk,
                "provider": "second",
                "base_model": "tiny",
                "hyperparameters": {"n_epochs": 3, "batch_size": "auto"},
                "suffix": "polite",
                "seed": 7,
            },
        )

        row = FineTuningJob.objects.get()
        assert status == 201
        assert row.provider == provider
        assert job["hyperparameters"] == {"n_epochs": 3, "batch_size": "auto"}
        assert (job["suffix"], job["seed"], job["base_model"]) == ("polite", 7, "tiny")

    def test_a_launch_key_makes_one_job(self, call, team, version):
        make_provider(team=team)
        body = {"version": version.pk, "launch_key": str(uuid.uuid4())}
        first, second = call("POST", "/jobs", body), call("POST", "/jobs", body)

        assert (first[0], second[0]) == (201, 200)
        assert first[1]["id"] == second[1]["id"]
        assert first[1]["launch_key"] == body["launch_key"]
        assert FineTuningJob.objects.count() == 1

    def test_an_idempotency_key_may_be_any_text(self, call, team, version):
        make_provider(team=team)
        body, key = {"version": version.pk}, {"Idempotency-Key": "nightly 2026-11-22"}
        first = call("POST", "/jobs", body, **key)
        second = call("POST", "/jobs", body, **key)

        assert (first[0], second[0]) == (201, 200)
        assert FineTuningJob.objects.count() == 1

    def test_one_persons_idempotency_key_is_not_anothers(self, call, team, version):
        make_provider(team=team)
        other = make_token(user=make_member(Role.LAUNCHER, team), name="x")
        key = {"Idempotency-Key": "nightly"}
        call("POST", "/jobs", {"version": version.pk}, **key)
        status, _job = call("POST", "/jobs", {"version": version.pk}, other, **key)

        assert status == 201

    def test_another_teams_launch_key_tells_nothing(self, call, team, version):
        make_provider(team=team)
        foreign = make_job()
        key = str(foreign.launch_key)
        status, answer = call(
            "POST", "/jobs", {"version": version.pk, "launch_key": key}
        )

        assert status == 422
        assert "taken" in answer["error"]["why"]

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"hyperparameters": {"n_epochs": 99}}, "1 to 50"),
            ({"hyperparameters": {"epochs": 3}}, "no hyperparameter"),
            ({"hyperparameters": 3}, "hyperparameters"),
            ({"seed": -1}, "seed"),
            ({"seed": "x"}, "seed"),
            ({"suffix": "a b"}, "suffix"),
            ({"launch_key": "x"}, "launch_key"),
            ({"nonsense": 1}, "nonsense"),
            ({"base_model": "a\0b"}, "base_model"),
            ({"base_model": 201 * "x"}, "200"),
            ({"dataset": "tone"}, "either"),
        ],
    )
    def test_what_is_wrong_is_named_and_makes_no_job(
        self, call, team, version, wrong, said
    ):
        make_provider(team=team)
        status, answer = call("POST", "/jobs", {"version": version.pk, **wrong})

        assert status == 422
        assert said in answer["error"]["why"]
        assert answer["error"].keys() == {"what", "why", "what_to_do"}
        assert not FineTuningJob.objects.exists()

    def test_too_few_rows_are_refused(self, call, team):
        make_provider(team=team)
        small = make_version(dataset=make_dataset(team=team), training=chat_lines(9))
        status, answer = call("POST", "/jobs", {"version": small.pk})

        assert status == 422
        assert "9 training rows" in answer["error"]["why"]

    @pytest.mark.parametrize("body", ["{", "[]", '"x"', ""])
    def test_what_is_no_json_object_is_told(self, client, token, body):
        response = client.post(
            "/api/jobs",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )

        assert response.status_code in {400, 422}
        assert response.json()["error"]["what_to_do"]

    def test_a_dataset_that_was_never_frozen(self, call, team):
        make_dataset(team=team, name="raw")
        status, answer = call("POST", "/jobs", {"dataset": "raw"})

        assert status == 404
        assert "freeze" in answer["error"]["what_to_do"]

    def test_two_teams_with_a_dataset_of_one_name(self, call, launcher, version):
        other = make_team()
        launcher.membership_set.create(team=other, role=Role.LAUNCHER)
        twin = make_version(dataset=make_dataset(team=other, name="tone"))
        make_provider(team=other)
        status, answer = call("POST", "/jobs", {"dataset": "tone"})
        assert status == 422
        assert other.slug in answer["error"]["why"]

        status, job = call("POST", "/jobs", {"dataset": "tone", "team": other.slug})
        assert status == 201
        assert job["version_id"] == twin.pk

    def test_another_teams_version_and_provider_are_not_there(
        self, call, team, version
    ):
        foreign = make_job()
        assert call("POST", "/jobs", {"version": foreign.dataset_version_id})[0] == 404

        body = {"version": version.pk, "provider": foreign.provider_id}
        assert call("POST", "/jobs", body)[0] == 404

    def test_a_provider_of_ones_other_team_is_not_used(self, call, launcher, version):
        other = make_provider(default_base_model="", base_url="https://other.example")
        launcher.membership_set.create(team=other.team, role=Role.OWNER)
        body = {"version": version.pk, "provider": other.pk}
        status, answer = call("POST", "/jobs", body)

        assert (status, answer["error"]["what"]) == (404, "There is no such provider.")

    def test_reviewers_may_not_launch(self, call, team, version):
        make_provider(team=team)
        reviewer = make_token(user=make_member(Role.REVIEWER, team), name="x")
        status, answer = call("POST", "/jobs", {"version": version.pk}, reviewer)

        assert status == 403
        assert "launcher" in answer["error"]["why"]
        assert not FineTuningJob.objects.exists()

    def test_without_a_default_the_provider_is_asked(self, call, provider, fake):
        provider.default_base_model = ""
        provider.save()
        version = make_version(dataset=make_dataset(team=provider.team))
        token = make_token(user=make_member(Role.LAUNCHER, provider.team), name="x")
        status, job = call("POST", "/jobs", {"version": version.pk}, token)

        assert status == 201
        assert job["base_model"] == "base-model"

    def test_a_silent_provider_is_503(self, call, provider, fake):
        provider.default_base_model = ""
        provider.save()
        version = make_version(dataset=make_dataset(team=provider.team))
        token = make_token(user=make_member(Role.LAUNCHER, provider.team), name="x")
        fake.answers("GET", "/v1/models", 503, {"error": {"message": "overloaded"}})
        status, answer = call("POST", "/jobs", {"version": version.pk}, token)

        assert status == 503
        assert "overloaded" in answer["error"]["why"]


class TestList:
    def ids(self, call, query=""):
        status, page = call("GET", f"/jobs{query}")
        assert status == 200
        return [job["id"] for job in page["items"]]

    def test_newest_first_and_only_ones_own(self, call, team):
        old, new = make_job(team=team), make_job(team=team)
        make_job()

        assert self.ids(call) == [new.pk, old.pk]

    def test_filters(self, call, team, version):
        provider = make_provider(team=team, name="here")
        job = make_job(
            dataset_version=version, provider=provider, status=JobStatus.RUNNING
        )
        make_job(team=team, status=JobStatus.FAILED)

        for query in (
            "?status=running",
            "?status=open",
            "?dataset=tone",
            "?provider=here",
            "?q=tone",
        ):
            assert self.ids(call, query) == [job.pk], query

    @pytest.mark.parametrize(
        "query",
        [
            "?status=x",
            "?created_by__password=x",
            "?page=0",
            "?page_size=101",
            "?page=x",
            "?q=%00",
            "?dataset=%00",
        ],
    )
    def test_an_unknown_filter_is_refused(self, call, query):
        status, answer = call("GET", f"/jobs{query}")

        assert status == 422
        assert answer["error"]["what_to_do"]

    def test_pages(self, call, team):
        jobs = [make_job(team=team) for _n in range(3)]
        _status, page = call("GET", "/jobs?page=2&page_size=2")

        assert [job["id"] for job in page["items"]] == [jobs[0].pk]
        assert (page["count"], page["page"], page["n_pages"]) == (3, 2, 2)

    def test_many_jobs_cost_no_more_queries(
        self, call, team, django_assert_max_num_queries
    ):
        for _n in range(10):
            make_job(team=team)

        with django_assert_max_num_queries(5):
            assert len(self.ids(call)) == 10


class TestOne:
    def test_the_whole_story(self, call, team):
        job = make_job(team=team, status=JobStatus.RUNNING, remote_id="ftjob-1")
        job.events.create(message="started")
        figures = {"step": 1, "train_loss": 2.5}
        job.events.create(type=EventType.METRICS, message="Step 1", data=figures)
        job.checkpoints.create(
            remote_id="c", name="ft:x:1", step_number=1, created_at=now()
        )
        job.move_to(JobStatus.SUCCEEDED, fine_tuned_model="ft:x")
        status, told = call("GET", f"/jobs/{job.pk}")

        assert status == 200
        assert told["status"] == "succeeded"
        assert told["fine_tuned_model"] == "ft:x"
        assert told["metrics"] == [figures]
        assert [event["message"] for event in told["events"][:2]] == [
            "started",
            "Step 1",
        ]
        assert told["checkpoints"][0]["name"] == "ft:x:1"
        assert told["training_sha256"] == job.dataset_version.training_sha256
        assert told["error"] is None

    def test_no_key_is_in_it(self, call, team):
        job = make_job(team=team)
        _status, told = call("GET", f"/jobs/{job.pk}")

        assert job.provider.api_key
        assert job.provider.api_key not in json.dumps(told)

    def test_a_number_beyond_the_database_is_no_job(self, call):
        assert call("GET", f"/jobs/{10**30}")[0] == 404

    def test_another_teams_job_is_not_there(self, call):
        foreign = make_job()
        status, answer = call("GET", f"/jobs/{foreign.pk}")

        assert status == 404
        assert answer["error"]["what"] == "Not found."
        assert call("POST", f"/jobs/{foreign.pk}/cancel")[0] == 404

    def test_a_long_story_costs_no_more_queries(
        self, call, team, django_assert_max_num_queries
    ):
        job = make_job(team=team)
        for n in range(20):
            job.events.create(message=f"{n}")

        with django_assert_max_num_queries(8):
            call("GET", f"/jobs/{job.pk}")


class TestCancel:
    def test_a_pending_job(self, call, team):
        job = make_job(team=team, status=JobStatus.PENDING)
        status, told = call("POST", f"/jobs/{job.pk}/cancel")

        assert (status, told["status"]) == (200, "cancelled")

    def test_a_finished_job_is_a_conflict(self, call, team):
        job = make_job(team=team, status=JobStatus.SUCCEEDED)
        status, answer = call("POST", f"/jobs/{job.pk}/cancel")

        assert status == 409
        assert "succeeded" in answer["error"]["why"]

    def test_viewers_may_not(self, call, team):
        job = make_job(team=team, status=JobStatus.PENDING)
        viewer = make_token(user=make_member(Role.VIEWER, team), name="x")

        assert call("POST", f"/jobs/{job.pk}/cancel", token=viewer)[0] == 403

    def test_a_provider_that_does_not_hear_is_asked_again(self, call, provider, fake):
        job = make_job(provider=provider, status=JobStatus.RUNNING, remote_id="ftjob-1")
        token = make_token(user=make_member(Role.LAUNCHER, provider.team), name="x")
        fake.answers("POST", ".*/cancel", 503, {"error": {"message": "overloaded"}})
        status, answer = call("POST", f"/jobs/{job.pk}/cancel", token=token)

        job.refresh_from_db()
        assert status == 503
        assert "noted" in answer["error"]["what_to_do"]
        assert job.cancel_requested_at


def test_the_description_names_every_call(client):
    paths = client.get("/api/openapi.json").json()["paths"]

    assert paths.keys() == {
        "/api/jobs",
        "/api/jobs/{job_id}",
        "/api/jobs/{job_id}/approve",
        "/api/jobs/{job_id}/cancel",
        "/api/jobs/{job_id}/clone",
        "/api/jobs/{job_id}/decide",
        "/api/jobs/{job_id}/decline",
        "/api/jobs/{job_id}/pause",
        "/api/jobs/{job_id}/resume",
        "/api/jobs/{job_id}/retry",
        "/api/jobs/{job_id}/schedule",
    }


def test_the_manual_loads_nothing_from_elsewhere(client):
    page = client.get("/api/docs").content.decode()

    assert "http://" not in page
    assert "https://" not in page
