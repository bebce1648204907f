"""Every page of the portal: by which method it is asked, and by whom.

A new page needs a line here.
"""

from typing import NamedTuple

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse

from jobs_app import urls
from jobs_app.models import FineTuningJob, Webhook
from teams_app.models import Role
from tests.factories import make_job, make_member

pytestmark = pytest.mark.django_db
METHODS = {"GET", "POST", "PUT", "DELETE"}
BELOW = {Role.LAUNCHER: Role.REVIEWER, Role.OWNER: Role.LAUNCHER}


class Door(NamedTuple):
    """`role`: what a POST needs in the row's team; none: whoever may see it."""

    methods: set[str]
    role: Role | None = None


READ = Door({"GET"})
OPEN_TO_ALL = Door({"POST"})
FOR_LAUNCHERS = Door({"POST"}, Role.LAUNCHER)
FOR_OWNERS = Door({"POST"}, Role.OWNER)
DOORS = {
    "home": READ,
    "processes": READ,
    "jobs:list": READ,
    "jobs:new": Door({"GET", "POST"}),
    "jobs:waiting": READ,
    "jobs:base_models": READ,
    "jobs:new_fields": READ,
    "jobs:estimate": READ,
    "jobs:detail": READ,
    "jobs:live": READ,
    "jobs:charts": READ,
    "jobs:points": READ,
    "jobs:held_out": READ,
    "jobs:launch": FOR_LAUNCHERS,
    "jobs:approve": FOR_LAUNCHERS,
    "jobs:decline": FOR_LAUNCHERS,
    "jobs:decide": FOR_LAUNCHERS,
    "jobs:cancel": FOR_LAUNCHERS,
    "jobs:pause": FOR_LAUNCHERS,
    "jobs:resume": FOR_LAUNCHERS,
    "jobs:retry": FOR_LAUNCHERS,
    "jobs:schedule": FOR_LAUNCHERS,
    "jobs:compare": FOR_LAUNCHERS,
    "jobs:deployment": FOR_LAUNCHERS,
    "jobs:ask": OPEN_TO_ALL,
    "jobs:answer": OPEN_TO_ALL,
    "teams:detail": Door({"GET", "POST"}, Role.OWNER),
    "teams:webhook_add": FOR_OWNERS,
    "teams:webhook": FOR_OWNERS,
    "notifications:mine": Door({"GET", "POST"}),
    "notifications:test": OPEN_TO_ALL,
    "providers:detail": READ,
    "providers:check": FOR_OWNERS,
    "providers:check_cancel": FOR_OWNERS,
}
PARTS = {
    "jobs": urls.job_urls,
    "teams": urls.team_urls,
    "notifications": urls.notification_urls,
    "providers": urls.provider_urls,
}


@pytest.fixture
def job() -> FineTuningJob:
    return make_job()


@pytest.fixture
def about_rows(job) -> dict[str, str]:
    """The address of each page that names a row, here one of the job's team."""
    hook = {"name": "Chat", "url": "https://hooks.example/x", "secret": "x"}
    webhook = Webhook.objects.create(team=job.team, **hook)
    row_of = {"jobs": job, "teams": job.team, "providers": job.provider}
    found = {}
    for app, pages in PARTS.items():
        for page in pages:
            row = webhook if page.name == "webhook" else row_of.get(app)
            given = {"pk": row and row.pk, "key": "base"}
            asked = {name: given[name] for name in page.pattern.converters}
            if asked:
                found[f"{app}:{page.name}"] = reverse(
                    f"{app}:{page.name}", kwargs=asked
                )
    return found


@pytest.fixture
def addresses(about_rows) -> dict[str, str]:
    others = [name for name in DOORS if name not in about_rows]
    return {**about_rows, **{name: reverse(name) for name in others}}


def status(client: Client, method: str, address: str) -> int:
    return client.generic(method, address).status_code


def test_every_page_has_a_line_here(about_rows):
    named = {f"{app}:{page.name}" for app, pages in PARTS.items() for page in pages}
    assert named | {"home", "processes"} == set(DOORS)


def test_no_page_takes_another_method_than_its_own(client, job, addresses):
    client.force_login(make_member(Role.OWNER, job.team))
    answers = {
        f"{method} {name}": status(client, method, addresses[name])
        for name, door in DOORS.items()
        for method in METHODS - door.methods
    }
    assert set(answers.values()) == {405}, answers


def test_a_stranger_is_sent_to_sign_in_by_every_page(client, addresses):
    sign_in = f"{resolve_url(settings.LOGIN_URL)}?next="
    answers = {
        f"{method} {name}": client.generic(method, addresses[name])
        for name, door in DOORS.items()
        for method in door.methods
    }
    other = {
        asked: answer
        for asked, answer in answers.items()
        if not answer.headers.get("location", "").startswith(sign_in)
    }
    assert other == {}


def test_a_member_of_another_team_finds_no_page_about_this_one(client, about_rows):
    client.force_login(make_member(Role.OWNER))
    answers = {
        f"{method} {name}": status(client, method, address)
        for name, address in about_rows.items()
        for method in DOORS[name].methods
    }
    assert set(answers.values()) == {404}, answers


@pytest.mark.parametrize("role", BELOW)
def test_whoever_has_the_role_below_may_only_look(client, job, about_rows, role):
    """Who has the role that is needed, in another team, has it there alone."""
    user = make_member(BELOW[role], job.team)
    make_job().team.membership_set.create(user=user, role=Role.OWNER)
    client.force_login(user)
    answers = {
        name: status(client, "POST", address)
        for name, address in about_rows.items()
        if DOORS[name].role == role
    }
    assert set(answers.values()) == {403}, answers
