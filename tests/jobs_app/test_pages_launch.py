import uuid

import pytest

from jobs_app import tasks
from jobs_app.models import FineTuningJob, JobStatus
from teams_app.models import Role
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
def launcher(client, team):
    user = make_member(Role.LAUNCHER, team)
    client.force_login(user)
    return user


@pytest.fixture
def version(team):
    return make_version(dataset=make_dataset(team=team))


@pytest.fixture
def rung(monkeypatch):
    """The ids for which a worker was rung."""
    ids = []

    def note(args, *_rest, **_options):
        ids.extend(args)

    for task in (tasks.submit_job, tasks.compare_held_out):
        monkeypatch.setattr(task, "apply_async", note)
    return ids


def form(version, provider, **overrides):
    return {
        "launch_key": str(uuid.uuid4()),
        "version": version.pk,
        "provider": provider.pk,
        "base_model": "base-model",
        "n_epochs": "",
        "batch_size": "",
        "learning_rate_multiplier": "",
        "suffix": "",
        "seed": "",
        **overrides,
    }


def test_a_launch_makes_a_job_and_rings_a_worker(
    client, launcher, team, version, rung, django_capture_on_commit_callbacks
):
    data = form(version, make_provider(team=team), n_epochs="3", suffix="tone", seed=7)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/jobs/new/", data)

    job = FineTuningJob.objects.get()
    assert response.headers["Location"] == f"/jobs/{job.pk}/"
    assert job.status == JobStatus.PENDING
    assert job.hyperparameters == {"n_epochs": 3}
    assert (job.suffix, job.seed, job.created_by) == ("tone", 7, launcher)
    assert rung == [job.pk]


def test_a_double_click_makes_one_job(client, launcher, team, version):
    data = form(version, make_provider(team=team))
    first = client.post("/jobs/new/", data)
    second = client.post("/jobs/new/", data)

    assert FineTuningJob.objects.count() == 1
    assert first.headers["Location"] == second.headers["Location"]


def test_auto_may_be_written_out(client, launcher, team, version):
    client.post("/jobs/new/", form(version, make_provider(team=team), n_epochs="auto"))

    assert FineTuningJob.objects.get().hyperparameters == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_epochs", "51"),
        ("n_epochs", "many"),
        ("batch_size", "0"),
        ("learning_rate_multiplier", "-1"),
        ("suffix", "two words"),
        ("seed", "-1"),
        ("base_model", ""),
        ("version", "99999"),
        ("provider", "x"),
        ("launch_key", "x"),
    ],
)
def test_a_wrong_value_is_told_and_makes_no_job(
    client, launcher, team, version, field, value
):
    data = {**form(version, make_provider(team=team)), field: value}
    response = client.post("/jobs/new/", data)

    assert response.status_code == 200
    assert response.context["form"].errors[field]
    assert not FineTuningJob.objects.exists()


def test_too_few_rows_are_refused(client, launcher, team):
    small = make_version(dataset=make_dataset(team=team), training=chat_lines(9))
    page = client.post("/jobs/new/", form(small, make_provider(team=team)))

    assert "This version has 9 training rows" in page.content.decode()
    assert not FineTuningJob.objects.exists()


def test_a_small_version_is_warned_about(client, launcher, team):
    make_provider(team=team)
    small = make_version(dataset=make_dataset(team=team), training=chat_lines(9))

    page = client.get(f"/jobs/new/?version={small.pk}").content.decode()
    assert "only 9 training rows; providers reject fewer than 10" in page


def test_the_form_starts_with_the_version_that_was_asked_for(
    client, launcher, team, version
):
    make_version(dataset=version.dataset)
    provider = make_provider(team=team, default_base_model="tiny")
    fields = client.get(f"/jobs/new/?version={version.pk}").context["form"]

    assert fields["version"].value() == version.pk
    assert fields["provider"].value() == provider.pk
    assert fields["base_model"].value() == "tiny"


def test_launching_again_starts_with_the_same_values(client, launcher, team):
    job = make_job(
        team=team, status=JobStatus.FAILED, hyperparameters={"n_epochs": 5}, seed=3
    )
    fields = client.get(f"/jobs/new/?from={job.pk}").context["form"]

    assert fields["version"].value() == job.dataset_version_id
    assert fields["n_epochs"].value() == 5
    assert fields["seed"].value() == 3
    assert fields["launch_key"].value() != job.launch_key


def test_another_teams_version_and_provider_are_not_on_offer(client, launcher, team):
    make_provider(team=team)
    foreign = make_job()
    client_page = client.get("/jobs/new/?version=" + str(foreign.dataset_version_id))
    data = form(foreign.dataset_version, foreign.provider)
    response = client.post("/jobs/new/", data)

    assert str(foreign.provider) not in client_page.content.decode()
    assert response.context["form"].errors.keys() == {"version", "provider"}
    assert client.get(f"/jobs/new/?from={foreign.pk}").status_code == 404


def test_version_and_provider_of_two_teams_do_not_go_together(client, version):
    other = make_team()
    user = make_member(Role.LAUNCHER, version.dataset.team)
    user.membership_set.create(team=other, role=Role.LAUNCHER)
    client.force_login(user)
    response = client.post("/jobs/new/", form(version, make_provider(team=other)))

    assert response.context["form"].errors["provider"]


def test_reviewers_may_not_launch(client, team, version):
    client.force_login(make_member(Role.REVIEWER, team))
    data = form(version, make_provider(team=team))

    assert client.get("/jobs/new/").status_code == 403
    assert client.post("/jobs/new/", data).status_code == 403
    assert not FineTuningJob.objects.exists()


def test_base_models_are_suggested(client, provider):
    client.force_login(make_member(Role.LAUNCHER, provider.team))
    page = client.get(f"/jobs/new/base-models/?provider={provider.pk}")

    assert '<option value="base-model">' in page.content.decode()


def test_a_silent_provider_is_told_and_the_name_may_be_typed(client, provider, fake):
    client.force_login(make_member(Role.LAUNCHER, provider.team))
    fake.answers("GET", "/v1/models", 503, {"error": {"message": "overloaded"}})
    page = client.get(f"/jobs/new/base-models/?provider={provider.pk}").content.decode()

    assert "overloaded" in page
    assert "You can still type" in page


@pytest.mark.parametrize("query", ["", "?provider=x", "?provider=99999"])
def test_no_provider_no_suggestions(client, launcher, query):
    response = client.get(f"/jobs/new/base-models/{query}")

    assert response.status_code == 200
    assert "<option" not in response.content.decode()


def test_another_teams_provider_is_not_asked(client, launcher, provider, fake):
    client.get(f"/jobs/new/base-models/?provider={provider.pk}")

    assert fake.requests == []


def test_a_pending_job_is_cancelled_at_once(client, launcher, team):
    job = make_job(team=team, status=JobStatus.PENDING)
    client.post(f"/jobs/{job.pk}/cancel/")

    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_cancel_the_provider_does_not_hear_is_noted(client, provider, fake):
    client.force_login(make_member(Role.LAUNCHER, provider.team))
    job = make_job(provider=provider, status=JobStatus.RUNNING, remote_id="ftjob-1")
    fake.answers("POST", ".*/cancel", 503, {"error": {"message": "overloaded"}})
    page = client.post(f"/jobs/{job.pk}/cancel/", follow=True).content.decode()

    job.refresh_from_db()
    assert job.cancel_requested_at
    assert "Your wish is noted" in page
    assert "Cancelling" in page


def test_a_draft_is_launched_once(client, launcher, team, rung):
    job = make_job(team=team)
    client.post(f"/jobs/{job.pk}/launch/")
    again = client.post(f"/jobs/{job.pk}/launch/", follow=True)

    job.refresh_from_db()
    assert job.status == JobStatus.PENDING
    assert "launched already" in again.content.decode()


def test_a_comparison_is_noted_and_rung(
    client, launcher, team, rung, django_capture_on_commit_callbacks
):
    job = make_job(team=team, status=JobStatus.SUCCEEDED)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(f"/jobs/{job.pk}/compare/")

    job.refresh_from_db()
    assert response.headers["Location"] == f"/jobs/{job.pk}/#held-out"
    assert job.next_comparison_at
    assert rung == [job.pk]


@pytest.mark.parametrize("action", ["launch", "cancel", "compare"])
def test_actions_need_the_role_the_team_and_a_post(client, team, action):
    job, foreign = make_job(team=team), make_job()
    client.force_login(make_member(Role.REVIEWER, team))
    assert client.post(f"/jobs/{job.pk}/{action}/").status_code == 403

    client.force_login(make_member(Role.OWNER, team))
    assert client.post(f"/jobs/{foreign.pk}/{action}/").status_code == 404
    assert client.get(f"/jobs/{job.pk}/{action}/").status_code == 405


def test_a_worker_that_cannot_be_rung_costs_nothing_but_a_tick(
    client, launcher, team, settings, caplog, django_capture_on_commit_callbacks
):
    job = make_job(team=team)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(f"/jobs/{job.pk}/launch/")

    assert response.status_code == 302
    assert "rang unheard" in caplog.text
