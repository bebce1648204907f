"""Every admin class of the jobs: who sees, makes, changes and deletes its rows."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.timezone import localdate, now

from jobs_app import services, tasks
from jobs_app.admin import JobEventInline
from jobs_app.models import (
    FineTuningJob,
    JobEvent,
    JobStatus,
    LeftoverFile,
    Price,
    Provider,
    WebhookDoor,
)
from teams_app.models import Role, Team
from tests.factories import make_job, make_member, make_provider, make_team
from tests.jobs_app.test_admin import JOBS, PROVIDERS, draft_form, page_of

pytestmark = pytest.mark.django_db

ACTS = ("view", "add", "change", "delete")
NOBODY = None
# Of each model: the lowest role that may do each act.
NEEDED = {
    FineTuningJob: (Role.VIEWER, Role.LAUNCHER, Role.LAUNCHER, Role.OWNER),
    Provider: (Role.VIEWER, Role.OWNER, Role.OWNER, Role.OWNER),
    Price: (Role.VIEWER, Role.OWNER, Role.OWNER, Role.OWNER),
    WebhookDoor: (Role.OWNER, Role.OWNER, Role.OWNER, Role.OWNER),
    LeftoverFile: (Role.LAUNCHER, NOBODY, NOBODY, NOBODY),
    JobEvent: (Role.VIEWER, NOBODY, NOBODY, Role.OWNER),
}


def make_row(model: Any, team: Team) -> Any:
    provider = make_provider(team=team)
    if model is Provider:
        return provider
    if model in (FineTuningJob, JobEvent):
        job = make_job(provider=provider)
        return job if model is FineTuningJob else job.events.create(message="Told.")
    if model is Price:
        price = {"base_model": "m", "as_of": localdate(), "usd_per_million_tokens": 1}
        return Price.objects.create(team=team, **price)
    if model is WebhookDoor:
        return WebhookDoor.objects.create(provider=provider)
    file = {"provider": provider, "remote_id": "file-1", "name": "a.jsonl"}
    return LeftoverFile.objects.create(**file, reason="unknown", seen_at=now())


def as_seen_by(user, model: Any) -> tuple[Any, Any]:
    request = RequestFactory().get("/")
    request.user = user
    if model is JobEvent:
        return request, JobEventInline(FineTuningJob, admin.site)
    return request, admin.site._registry[model]


def rights(user, model: Any, row: Any) -> dict[str, bool]:
    request, door = as_seen_by(user, model)
    add = (request, row) if model is JobEvent else (request,)
    given = {act: add if act == "add" else (request, row) for act in ACTS}
    return {act: getattr(door, f"has_{act}_permission")(*given[act]) for act in ACTS}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("model", NEEDED)
def test_each_right_begins_at_its_role(model, role):
    team = make_team()
    user, row = make_member(role, team), make_row(model, team)
    ranks = list(Role)

    expected = {
        act: lowest is not NOBODY and ranks.index(role) >= ranks.index(lowest)
        for act, lowest in zip(ACTS, NEEDED[model], strict=True)
    }

    assert rights(user, model, None) == expected
    assert rights(user, model, row) == expected


@pytest.mark.parametrize("model", NEEDED)
def test_an_owner_elsewhere_sees_no_row_that_the_role_here_hides(model):
    theirs, mine = make_team(), make_team()
    user = make_member(Role.OWNER, mine)
    if model in (WebhookDoor, LeftoverFile):
        theirs.membership_set.create(user=user, role=Role.REVIEWER)
    hidden, row = make_row(model, theirs), make_row(model, mine)
    request, door = as_seen_by(user, model)

    seen = door.get_queryset(request)
    assert row in seen
    assert hidden not in seen


def member_of_two(role: Role) -> tuple[Client, Team, Team]:
    """Who has the role in the first team, and the one below in the second."""
    one, other = make_team(), make_team()
    user = make_member(role, one)
    below = list(Role)[list(Role).index(role) - 1]
    other.membership_set.create(user=user, role=below)
    client = Client()
    client.force_login(user)
    return client, one, other


def test_files_are_looked_for_where_one_may_launch(monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tasks.look_for_leftovers, "delay_on_commit", rung.append)
    client, one, other = member_of_two(Role.LAUNCHER)
    mine, theirs = make_provider(team=one), make_provider(team=other)
    picked = [mine.pk, theirs.pk]

    client.post(PROVIDERS, {"action": "look_for_leftovers", "_selected_action": picked})

    assert rung == [mine.pk]


@pytest.mark.parametrize(
    ("action", "verb"), [("pause", "pause_job"), ("approve", "approve")]
)
def test_acts_reach_only_where_one_may_launch(monkeypatch, action, verb):
    asked: list[int] = []

    def note(job: FineTuningJob, **_rest: Any) -> bool:
        asked.append(job.pk)
        return False

    monkeypatch.setattr(services, verb, note)
    client, one, other = member_of_two(Role.LAUNCHER)
    mine, theirs = make_job(team=one), make_job(team=other)

    client.post(JOBS, {"action": action, "_selected_action": [mine.pk, theirs.pk]})

    assert asked == [mine.pk]


def test_jobs_are_deleted_one_by_one():
    client, one, _other = member_of_two(Role.OWNER)
    make_job(team=one)
    assert 'value="delete_selected"' not in client.get(JOBS).text


def test_a_reviewer_is_offered_no_act():
    client, one, _other = member_of_two(Role.REVIEWER)
    make_job(team=one)
    assert 'value="cancel"' not in client.get(JOBS).text


@pytest.mark.parametrize("model", [Provider, Price])
def test_what_is_stored_stays_with_its_team(model):
    client, one, _other = member_of_two(Role.OWNER)
    row, elsewhere = make_row(model, one), make_team()
    elsewhere.membership_set.create(user=one.membership_set.get().user, role=Role.OWNER)
    form = {"team": elsewhere.pk, "name": "Mine", "base_model": "m", "base_url": ""}
    kind = {"kind": "openai", "as_of": "2026-01-01", "usd_per_million_tokens": "1"}

    answer = client.post(page_of(row), form | kind)

    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.team == one


def test_a_door_stays_with_its_provider():
    """Its secret is that provider's."""
    client, one, _other = member_of_two(Role.OWNER)
    door, another = make_row(WebhookDoor, one), make_provider(team=one)

    client.post(page_of(door), {"provider": another.pk, "new_secret": ""})

    stored = WebhookDoor.objects.get()
    assert stored.provider == door.provider


@pytest.mark.parametrize(
    "secret", ["whsec_a b", "whsec_é", "whsec_a\u200b", "whsec_a\x07b"]
)
def test_a_secret_copied_wrongly_is_refused_and_not_sent_back(secret):
    client, one, _other = member_of_two(Role.OWNER)
    form = {"provider": make_provider(team=one).pk, "new_secret": secret}

    answer = client.post(reverse("admin:jobs_app_webhookdoor_add"), form)

    assert "new_secret" in answer.context["adminform"].form.errors
    assert secret not in answer.text
    assert not WebhookDoor.objects.exists()


def test_an_id_is_given_to_one_of_the_selected_jobs_at_most():
    client, one, _other = member_of_two(Role.LAUNCHER)
    jobs = [make_job(team=one, status=JobStatus.UNSURE) for _ in range(2)]
    picked = {"action": "take_as_ours", "_selected_action": [job.pk for job in jobs]}

    answer = client.post(JOBS, {**picked, "remote_id": "ftjob-1"}, follow=True)

    assert "select this one alone" in answer.text
    assert set(FineTuningJob.objects.values_list("remote_id", flat=True)) == {""}


def test_who_was_too_late_to_change_a_draft_hears_so(monkeypatch):
    client, one, _other = member_of_two(Role.LAUNCHER)
    job = make_job(team=one)
    monkeypatch.setattr(services, "change_draft", lambda *_args, **_rest: False)

    answer = client.post(page_of(job), draft_form(job), follow=True)

    assert "was launched meanwhile" in answer.text


def test_the_numbers_of_each_step_are_no_events_of_the_page():
    client, one, _other = member_of_two(Role.LAUNCHER)
    job = make_job(team=one)
    job.events.create(type="metrics", message="Step 7 of many")

    assert "Step 7 of many" not in client.get(page_of(job)).text


@pytest.mark.parametrize("status", [s for s in JobStatus if s != JobStatus.DRAFT])
def test_a_launched_job_has_no_field_to_fill_in(status):
    client, one, _other = member_of_two(Role.OWNER)
    page = client.get(page_of(make_job(team=one, status=status))).text
    assert 'name="base_model"' not in page
