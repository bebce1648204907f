"""The banner, what came of a version, and the tokens that are still to be counted."""

import pytest
from django.template import Context
from django.urls import reverse

from datasets_app.models import RunStatus, VersionTokens
from jobs_app.services.heartbeats import Pulse, start_command
from jobs_app.templatetags import processes, trail
from jobs_app.views import estimates
from teams_app.models import Role
from tests.factories import (
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db


def test_a_page_without_a_user_has_no_banner():
    shown = {"is_in": False, "silent": []}
    assert processes.silent_processes(Context({})) == shown


def test_an_advice_with_no_command_is_told_as_it_is():
    assert start_command("trainer") not in "Wait <b>."
    pulse = Pulse("trainer", None, False, "Wait <b>.")
    assert processes.advice(pulse) == "Wait <b>."


@pytest.mark.parametrize(("few", "n_shown", "are_more"), [(1, 1, True), (2, 2, False)])
def test_of_a_versions_many_jobs_a_few_are_shown(monkeypatch, few, n_shown, are_more):
    monkeypatch.setattr(trail, "FEW", few)
    job = make_job()
    make_job(dataset_version=job.dataset_version)
    found = trail.jobs_of(job.dataset_version)
    assert (len(found["jobs"]), found["are_more"]) == (n_shown, are_more)


def test_a_worker_is_rung_to_count_a_big_version(client, monkeypatch):
    team = make_team()
    client.force_login(make_member(Role.LAUNCHER, team))
    rung: list[int] = []
    monkeypatch.setattr(estimates.count_version, "delay_on_commit", rung.append)
    small = "datasets_app.services.version_tokens.SMALL_BYTES"
    version = make_version(dataset=make_dataset(team=team))
    asked = {"version": version.pk, "provider": make_provider(team=team).pk}
    address, query = reverse("jobs:estimate"), {**asked, "base_model": "m"}

    monkeypatch.setattr(small, 0)
    for status in (RunStatus.PENDING, RunStatus.FINISHED):
        VersionTokens.objects.update(status=status)
        client.get(address, query)
    assert rung == [VersionTokens.objects.get(version=version).pk]
