"""What the pages choose to show first: own rows, the newest, and not too many."""

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs_app import services
from jobs_app.models import Approval, FineTuningJob, IllegalTransition, JobStatus
from jobs_app.services.comparing import MAX_QUESTIONS
from jobs_app.views import approvals as waiting_pages
from jobs_app.views.job import _held_out_context, _provider_context
from teams_app.models import Role, Team, User
from tests.factories import (
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db
# Its package calls the page by the same name.
home_pages = import_module("jobs_app.views.home")


@pytest.fixture
def team() -> Team:
    return make_team()


@pytest.fixture
def user(client, team) -> User:
    found = make_member(Role.LAUNCHER, team)
    client.force_login(found)
    return found


@pytest.fixture
def elsewhere(user) -> Team:
    """A team where the user may look and not launch."""
    found = make_team()
    found.membership_set.create(user=user, role=Role.REVIEWER)
    return found


def context_of(client: Client, path: str, **query: Any) -> Any:
    return client.get(path, query).context


def request_for(job: FineTuningJob, **fields: Any) -> Approval:
    return Approval.objects.create(job=job, reasons=[], terms={}, **fields)


def waiting_job(team: Team) -> FineTuningJob:
    return make_job(team=team, status=JobStatus.AWAITING_APPROVAL)


def test_the_first_page_shows_a_few_of_each(client, user, team, monkeypatch):
    for name in ("N_OPEN", "N_RECENT", "N_DATASETS", "N_WAITING"):
        monkeypatch.setattr(home_pages, name, 1)
    running = [make_job(team=team, status=JobStatus.RUNNING) for _ in range(2)]
    failed = [make_job(team=team, status=JobStatus.FAILED) for _ in range(2)]
    for job in running:
        request_for(job)

    seen = context_of(client, "/")

    assert [line.job for line in seen["open_jobs"]] == running[:0:-1]
    assert seen["has_more_open"]
    assert [line.job for line in seen["recent_jobs"]] == failed[:0:-1]
    assert len(seen["datasets"]) == 1
    assert seen["n_waiting"] == 1


def test_the_first_page_reads_no_more_open_jobs_than_it_shows(
    client, user, team, monkeypatch
):
    monkeypatch.setattr(home_pages, "N_OPEN", 1)
    read: list[Any] = []

    def note(jobs: Any) -> list[Any]:
        read.extend(jobs)
        return []

    monkeypatch.setattr(home_pages, "lines", note)
    for _ in range(3):
        make_job(team=team, status=JobStatus.RUNNING)

    context_of(client, "/")

    assert len(read) == 2


def test_only_ones_own_open_requests_are_counted(client, user, team):
    request_for(waiting_job(make_team()))
    request_for(waiting_job(team), decided_at="2026-01-01T00:00Z")
    request_for(waiting_job(team))
    assert context_of(client, "/")["n_waiting"] == 1


def test_a_dataset_is_shown_with_its_own_newest_version(client, user, team):
    dataset = make_dataset(team=team)
    make_version(dataset=dataset, number=1)
    newest = make_version(dataset=dataset, number=2)
    make_version(dataset=make_dataset(team=team), number=9)

    [found] = [each for each in context_of(client, "/")["datasets"] if each == dataset]

    assert (found.newest_version, found.newest_number) == (newest.pk, 2)


def test_only_open_requests_wait_and_a_few_are_shown(client, user, team, monkeypatch):
    monkeypatch.setattr(waiting_pages, "SHOWN", 1)
    request_for(waiting_job(team), decided_at="2026-01-01T00:00Z")
    oldest = request_for(waiting_job(team))
    request_for(waiting_job(team))

    with CaptureQueriesContext(connection) as asked:
        seen = context_of(client, reverse("jobs:waiting"))

    assert [line["request"] for line in seen["lines"]] == [oldest]
    assert seen["has_more"]
    read = [q["sql"] for q in asked if 'FROM "jobs_app_approval"' in q["sql"]]
    assert [sql.rpartition("LIMIT ")[2] for sql in read if "ORDER BY" in sql] == ["2"]


def test_whoever_may_not_launch_there_is_offered_no_decision(client, user, elsewhere):
    request_for(waiting_job(elsewhere))
    [line] = context_of(client, reverse("jobs:waiting"))["lines"]
    assert not line["may_decide"]


def test_a_new_launch_begins_with_what_one_may_launch(client, user, team, elsewhere):
    make_provider(team=elsewhere)
    ours = make_version(dataset=make_dataset(team=team))
    theirs = make_version(dataset=make_dataset(team=elsewhere))

    form = context_of(client, "/jobs/new/")["form"]
    assert (form["version"].value(), form["provider"].value()) == (ours.pk, None)
    named = context_of(client, "/jobs/new/", version=theirs.pk)["form"]
    assert named["version"].value() is None


def test_a_new_launch_begins_with_a_provider_of_the_versions_team(client, user, team):
    other = make_team()
    other.membership_set.create(user=user, role=Role.LAUNCHER)
    make_provider(team=other)
    mine = make_provider(team=team, default_base_model="ours")
    version = make_version(dataset=make_dataset(team=team))

    form = context_of(client, "/jobs/new/", version=version.pk)["form"]

    assert (form["provider"].value(), form["base_model"].value()) == (mine.pk, "ours")


def test_without_a_version_any_provider_of_ones_own_comes_first(
    client, user, team, elsewhere
):
    make_provider(team=elsewhere)
    mine = make_provider(team=team)
    form = context_of(client, "/jobs/new/")["form"]
    assert form["provider"].value() == mine.pk


def test_where_there_is_nothing_to_launch_with_the_form_is_empty(client, user):
    seen = context_of(client, "/jobs/new/")
    assert seen["form"]["provider"].value() is None
    assert "knobs" not in seen
    assert (seen["has_versions"], seen["is_too_small"]) == (False, False)


def test_the_chosen_version_is_the_one_that_is_judged(client, user, team):
    dataset = make_dataset(team=team)
    large = make_version(dataset=dataset)
    make_version(dataset=dataset, training=b"")

    seen = context_of(client, "/jobs/new/", version=large.pk)

    assert (seen["version"], seen["is_too_small"]) == (large, False)


def test_a_launch_begins_with_another_where_one_may_launch(client, user, elsewhere):
    job = make_job(team=elsewhere)
    assert client.get("/jobs/new/", {"from": job.pk}).status_code == 403


def test_the_fields_are_those_of_the_chosen_provider(client, user, team):
    make_provider(team=team)
    second = make_provider(team=team, kind="azure")

    chosen = context_of(client, reverse("jobs:new_fields"), provider=second.pk)
    none = context_of(client, reverse("jobs:new_fields"))

    assert chosen["deploy_step"]
    assert not none["deploy_step"]


def test_a_double_click_that_was_overtaken_leads_to_its_job(
    client, user, team, monkeypatch
):
    def overtaken(*_args: object, **_rest: object) -> None:
        raise IllegalTransition("Too late.")

    monkeypatch.setattr(services, "launch_job", overtaken)
    version = make_version(dataset=make_dataset(team=team))
    given = {"launch_key": "00000000-0000-4000-8000-000000000007", "base_model": "m"}
    pks = {"version": version.pk, "provider": make_provider(team=team).pk}

    answer = client.post("/jobs/new/", {**given, **pks})

    assert answer.url == reverse("jobs:detail", args=[FineTuningJob.objects.get().pk])


def test_base_models_are_asked_of_the_chosen_provider_of_ones_own(
    client, user, team, elsewhere, monkeypatch
):
    asked: list[Any] = []

    def note(provider: Any) -> list[str]:
        asked.append(provider)
        return []

    monkeypatch.setattr(services, "base_models", note)
    foreign, mine = make_provider(team=elsewhere), make_provider(team=team)
    make_provider(team=team)
    for provider in (foreign, mine):
        client.get(reverse("jobs:base_models"), {"provider": provider.pk})
    assert asked == [mine]


def test_a_deployment_with_too_long_a_name_is_refused_with_a_reason(client, user, team):
    job = make_job(team=team)
    page = reverse("jobs:deployment", args=[job.pk])

    answer = client.post(page, {"deployment": "d" * 201}, follow=True)

    assert "at most 200 characters" in answer.text
    job.refresh_from_db()
    assert job.deployment == ""


@pytest.mark.parametrize(("path", "part"), [("/jobs/", "_job_table.html")])
def test_a_plain_request_gets_a_whole_page_and_htmx_its_part(client, user, path, part):
    part_of = client.get(path, headers={"HX-Request": "true"})
    assert "<html" in client.get(path).text
    assert part_of.templates[0].name.endswith(part)


@pytest.mark.parametrize(
    ("kind", "own", "version"),
    [
        ("openai", "2099-01-01", False),
        ("azure_classic", "", "2025-04-01-preview"),
        ("azure_classic", "2099-01-01", "2099-01-01"),
    ],
)
def test_a_page_names_the_api_version_where_there_is_one(kind, own, version):
    job = make_job(provider=make_provider(kind=kind, api_version=own))
    assert _provider_context(job)["api_version"] == version


@pytest.mark.parametrize(
    ("status", "abilities", "n_rows", "may"),
    [
        (JobStatus.SUCCEEDED, {}, 1, True),
        (JobStatus.RUNNING, {}, 1, False),
        (JobStatus.SUCCEEDED, {"chat": False}, 1, False),
        (JobStatus.SUCCEEDED, {}, 0, False),
    ],
)
def test_a_comparison_is_offered_where_there_is_one_to_make(
    rf, user, team, status, abilities, n_rows, may
):
    request = rf.get("/")
    request.user = user
    version = make_version(dataset=make_dataset(team=team), n_validation_rows=n_rows)
    provider = make_provider(team=team, abilities=abilities)
    job = make_job(provider=provider, dataset_version=version, status=status)

    assert _held_out_context(request, job)["may_compare"] is may


def test_no_more_questions_are_announced_than_are_asked(rf, user, team):
    request = rf.get("/")
    request.user = user
    version = make_version(dataset=make_dataset(team=team), n_validation_rows=10_000)
    job = make_job(team=team, dataset_version=version)
    assert _held_out_context(request, job)["n_questions"] == MAX_QUESTIONS
