"""The audit log: what stands in it, that it stays, and who reads it."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import override

from datasets_app import services as datasets
from datasets_app.models import BulkKind
from datasets_app.services.bulk_edits import start_edit
from jobs_app import services as jobs
from jobs_app.models import JobStatus
from teams_app import audit
from teams_app.audit_facts import facts_of
from teams_app.models import AuditEntry, Role, Verb
from teams_app.services import make_token, revoke_token, save_team
from tests.factories import (
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_user,
    make_version,
)
from tests.teams_app.test_team_admin import team_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client):
    user = make_member(Role.OWNER, username="owner")
    client.force_login(user)
    return user


@pytest.fixture
def team(owner):
    return owner.teams.get()


def newest() -> AuditEntry:
    return AuditEntry.objects.first()  # type: ignore[return-value]


def told() -> tuple[str, str, str]:
    entry = newest()
    return entry.who, entry.verb, entry.thing


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEntry.objects.update(who="nobody"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: connection.cursor().execute("DELETE FROM teams_app_auditentry"),
        lambda: AuditEntry(pk=newest().pk, who="nobody", door="person").save(),
    ],
)
def test_nothing_changes_or_deletes_a_line(change):
    audit.record(Verb.CREATED, make_dataset(), by=None)
    with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
        change()


def test_a_line_outlives_its_team_and_its_user(owner, team):
    dataset = make_dataset(team=team)
    audit.record(Verb.CREATED, dataset, by=owner)
    dataset.delete()
    team.delete()
    owner.delete()
    assert told() == ("owner", "created", "dataset")


def test_a_line_is_stored_with_the_act_or_not_at_all(team):
    with transaction.atomic():
        datasets.create_dataset(team=team, name="Cards", by=None)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_a_token_and_a_command_are_told_from_a_person(owner, client, team, tmp_path):
    job = make_job(team=team, status=JobStatus.PENDING)
    headers = {"authorization": f"Bearer {make_token(user=owner, name='nightly')}"}
    client.post(f"/api/jobs/{job.pk}/cancel", headers=headers)
    assert (newest().door, newest().details) == ("token", {"token": "nightly"})

    with audit.as_command("freeze"):
        audit.record(Verb.FROZEN, make_version(), by=None)
    assert (newest().door, newest().who) == ("command", "./manage.py freeze")


def test_making_and_revoking_a_token_is_told_without_the_token(owner, team):
    raw = make_token(user=owner, name="nightly")
    revoke_token(owner.api_tokens.get())
    verbs = list(AuditEntry.objects.values_list("verb", "team"))
    assert verbs == [("revoked", team.pk), ("created", team.pk)]
    assert raw not in str(list(AuditEntry.objects.values()))


def test_what_is_about_a_user_is_told_to_each_of_their_teams(owner, team):
    other = make_team()
    other.membership_set.create(user=owner, role=Role.VIEWER)
    make_token(user=owner, name="script")
    told_to = AuditEntry.objects.values_list("team", flat=True)
    assert set(told_to) == {team.pk, other.pk}


def test_a_long_name_is_cut_to_what_the_database_takes(owner, team):
    dataset = make_dataset(team=team)
    audit.record(Verb.CREATED, dataset, by=owner, label="x" * 400)
    assert newest().label == "x" * 300


def test_an_owner_filters_by_teams_of_their_own_only(client, owner, team):
    foreign = make_team()
    foreign.membership_set.create(user=owner, role=Role.VIEWER)
    audit.record(Verb.CREATED, make_dataset(team=foreign, name="Foreign set"), by=None)
    page = client.get(reverse("audit:log"), {"team": foreign.pk}).content.decode()
    assert "Foreign set" not in page


def test_a_bulk_edit_and_a_purge_are_told(owner, team):
    dataset = make_dataset(team=team)
    start_edit(dataset=dataset, kind=BulkKind.DELETE, by=owner)
    assert told() == ("owner", "edited", "dataset")
    start_edit(dataset=dataset, kind=BulkKind.PURGE, by=owner)
    assert told() == ("owner", "purged", "dataset")


def test_freezing_and_downloading_are_told(client, owner, team):
    version = make_version(dataset=make_dataset(team=team))
    answer = client.get(reverse("datasets:version_file", args=[version.pk, "train"]))
    assert b"".join(answer.streaming_content)
    assert told() == ("owner", "downloaded", "datasetversion")


def test_an_export_is_told(client, owner, team):
    dataset = make_dataset(team=team)
    client.get(reverse("datasets:export_file", args=[dataset.pk, "openai"]))
    assert told() == ("owner", "exported", "dataset")


def test_launching_and_cancelling_are_told(owner, team):
    job = make_job(team=team)
    jobs.launch_job(job, by=owner)
    assert told() == ("owner", "launched", "finetuningjob")
    jobs.cancel_job(job, by=owner)
    assert told() == ("owner", "cancelled", "finetuningjob")


def test_a_new_key_is_told_and_is_not_in_the_line(owner, team):
    provider = make_provider(team=team)
    jobs.save_provider(provider, by=owner, new_key="sk-brand-new")
    assert told() == ("owner", "key_changed", "provider")
    assert "sk-brand-new" not in str(list(AuditEntry.objects.values()))


def test_a_setting_is_told_with_what_it_was(client, owner, team):
    team.approve_always = True
    save_team(team, by=owner)
    assert newest().details == {"approve_always": [False, True]}
    page = client.get(reverse("audit:log")).content.decode()
    assert "every launch needs a second person</span>: no → yes" in page


def test_deleting_in_the_admin_is_told(client, owner, team):
    provider = make_provider(team=team)
    page = reverse("admin:jobs_app_provider_delete", args=[provider.pk])
    client.post(page, {"post": "yes"})
    assert told() == ("owner", "deleted", "provider")


def test_a_change_of_roles_is_told_with_what_it_was(client, owner, team):
    make_member(Role.VIEWER, team, username="mina")
    page = reverse("admin:teams_app_team_change", args=[team.pk])
    client.post(page, team_form(team, mina="reviewer"))
    assert told() == ("owner", "role_changed", "membership")
    assert (newest().label, newest().details) == (
        "mina",
        {"role": ["viewer", "reviewer"]},
    )

    client.post(page, team_form(team, drop=["mina"]))
    assert told() == ("owner", "removed", "membership")


def test_the_page_shows_owners_their_own_team_only(client, owner, team):
    audit.record(Verb.CREATED, make_dataset(name="Foreign"), by=None)
    audit.record(Verb.CREATED, make_dataset(team=team, name="Ours"), by=None)
    page = client.get(reverse("audit:log")).content.decode()
    assert "Ours" in page
    assert "Foreign" not in page


def test_the_page_is_for_owners(client):
    client.force_login(make_member(Role.LAUNCHER))
    for name in ("log", "csv"):
        assert client.get(reverse(f"audit:{name}")).status_code == 403


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("who=owner", ["A"]),
        ("verb=deleted", ["B"]),
        ("thing=provider", []),
        ("since=2999-01-01", []),
        ("until=2999-01-01", ["B", "A"]),
        ("who=owner&verb=deleted", []),
        ("team=999999&verb=nonsense", ["B", "A"]),
    ],
)
def test_the_page_is_filtered(client, owner, team, query, names):
    audit.record(Verb.CREATED, make_dataset(team=team, name="A"), by=owner)
    audit.record(Verb.DELETED, make_dataset(team=team, name="B"), by=None)
    answer = client.get(f"{reverse('audit:log')}?{query}")
    assert [entry.label for entry, _facts in answer.context["lines"]] == names


@pytest.mark.parametrize("query", ["until=9999-12-31", "since=0001-01-01"])
def test_a_day_at_the_end_of_time_filters_nothing(client, owner, team, query):
    audit.record(Verb.CREATED, make_dataset(team=team, name="A"), by=owner)
    with override("Asia/Seoul"):  # where the first day began in the year before
        answer = client.get(f"{reverse('audit:log')}?{query}")
    assert [entry.label for entry, _facts in answer.context["lines"]] == ["A"]


def test_pages_follow_one_another_by_key(client, owner, team):
    dataset = make_dataset(team=team)
    for _each in range(51):
        audit.record(Verb.CHANGED, dataset, by=owner)
    first = client.get(reverse("audit:log")).context
    second = client.get(f"{reverse('audit:log')}?before={first['older']}").context
    assert (len(first["lines"]), len(second["lines"])) == (50, 1)


def test_the_csv_runs_in_no_spreadsheet(client, owner, team):
    audit.record(Verb.CREATED, make_dataset(team=team, name="=1+1"), by=owner)
    answer = client.get(reverse("audit:csv"))
    text = b"".join(answer.streaming_content).decode()
    assert ",'=1+1," in text


def test_what_no_command_did_any_more_is_not_told_of_it(team):
    with audit.as_command("freeze"):
        audit.record(Verb.CREATED, team, by=None)
    audit.record(Verb.CREATED, team, by=None)

    assert newest().who == "finetune-site"


def test_what_is_about_a_user_is_told_to_nobody_elses_team(owner, team):
    make_team()
    make_member(Role.OWNER)
    make_token(user=owner, name="script")
    assert [entry.team for entry in AuditEntry.objects.all()] == [team]


def test_what_is_about_a_user_without_a_team_is_told_all_the_same():
    make_token(user=make_user(), name="script")
    assert newest().team is None


def test_a_row_with_a_long_name_is_told_with_its_beginning(team, monkeypatch):
    monkeypatch.setattr(type(team), "__str__", lambda _team: "x" * 400)
    audit.record(Verb.CREATED, team, by=None)
    assert newest().label == "x" * 300


def test_fields_are_listed_and_a_change_is_told_as_one():
    assert facts_of({"fields": ["kind", "own"]}) == [("fields", "kind, own")]
    assert facts_of({"role": ["viewer", "owner"]}) == [("role", "viewer → owner")]
