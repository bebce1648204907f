"""Each act has its line: who did what, to which object, with which facts."""

from typing import Any

import pytest
from django.urls import reverse

from datasets_app import services as datasets
from datasets_app.models import BulkKind, ReviewState, SavedFilter, Tag
from datasets_app.services import bulk_edits
from datasets_app.services.history import newest_revision
from datasets_app.services.restoring import restore_example
from jobs_app import services as jobs
from jobs_app.models import JobStatus, LeftoverFile, Price, Webhook
from jobs_app.services import teams
from teams_app.models import AuditEntry, Role
from tests.datasets_app.import_runs import start
from tests.factories import (
    chat_lines,
    make_dataset,
    make_example,
    make_job,
    make_member,
    make_provider,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client):
    user = make_member(Role.OWNER, username="owner")
    client.force_login(user)
    return user


@pytest.fixture
def team(owner):
    return owner.teams.get()


def told() -> tuple[str, str, str, dict[str, Any]]:
    entry = AuditEntry.objects.first()
    assert entry is not None
    return entry.who, entry.verb, entry.thing, entry.details


def test_a_row_that_is_added_changed_and_restored(owner, team):
    row = make_example(dataset=make_dataset(team=team))
    first = newest_revision(row)
    row.messages[0]["content"] = "Something that stands in no log."
    datasets.save_example(row, by=owner)
    changed = {"row": row.pk, "fields": ["messages"]}
    assert told() == ("owner", "row_changed", "dataset", changed)

    restore_example(row, revision_pk=first, seen_at=row.updated_at, by=owner)
    assert told() == ("owner", "row_changed", "dataset", changed)
    assert AuditEntry.objects.filter(verb="row_changed").count() == 2

    row.pk = None
    datasets.save_example(row, by=owner)
    assert told()[:3] == ("owner", "row_added", "dataset")
    assert "stands in no log" not in str(list(AuditEntry.objects.values()))


def test_what_changes_nothing_is_no_act(owner, team):
    datasets.save_example(make_example(dataset=make_dataset(team=team)), by=owner)

    assert not AuditEntry.objects.filter(who="owner").exists()


def test_a_decision_about_a_row_and_whose_it_is(owner, team):
    row = make_example(dataset=make_dataset(team=team))
    datasets.decide(row, state=ReviewState.IN_REVIEW, by=owner)
    states = {"row": row.pk, "fields": ["state"], "state": ["draft", "in_review"]}
    assert told() == ("owner", "row_changed", "dataset", states)

    datasets.assign(row, to=owner, by=owner)
    assigned = {"row": row.pk, "fields": ["assignee"]}
    assert told() == ("owner", "row_changed", "dataset", assigned)


def test_a_comment_without_its_words(client, owner, team):
    row = make_example(dataset=make_dataset(team=team))
    page = reverse("datasets:example_comment", args=[row.pk])
    client.post(page, {"text": "Something that stands in no log."})
    assert told() == ("owner", "commented", "dataset", {"row": row.pk})
    assert "stands in no log" not in str(list(AuditEntry.objects.values()))


def test_a_comment_that_says_nothing_is_no_act(owner, team):
    row = make_example(dataset=make_dataset(team=team))
    with pytest.raises(datasets.NotReviewed):
        datasets.comment_on(row, text=" ", by=owner)
    assert not AuditEntry.objects.filter(verb="commented").exists()


def keep_filter(client, dataset, query: str) -> SavedFilter:
    page = reverse("admin:datasets_app_example_filter_save", args=[dataset.pk])
    client.post(page, {"name": "Mine", "query": query})
    return SavedFilter.objects.get()


def test_a_saved_filter_without_what_it_looks_for(client, owner, team):
    dataset = make_dataset(team=team)
    keep_filter(client, dataset, "q=very-private")
    assert told() == ("owner", "created", "savedfilter", {})
    keep_filter(client, dataset, "q=quite-private")
    assert told() == ("owner", "changed", "savedfilter", {"fields": ["query"]})
    keep_filter(client, dataset, "q=quite-private")
    assert AuditEntry.objects.filter(thing="savedfilter").count() == 2
    assert "private" not in str(list(AuditEntry.objects.values()))


def test_a_saved_filter_that_is_renamed_and_deleted(client, owner, team):
    saved = keep_filter(client, make_dataset(team=team), "state=draft")
    page = reverse("admin:datasets_app_example_filter_change", args=[saved.pk])
    client.post(page, {"name": "Ours"})
    assert told() == ("owner", "changed", "savedfilter", {"name": ["Mine", "Ours"]})
    client.post(page, {"name": "Ours"})
    assert AuditEntry.objects.filter(verb="changed").count() == 1
    client.post(page, {"delete": "1"})
    assert told() == ("owner", "deleted", "savedfilter", {})


def test_an_import_that_is_stopped_and_goes_on(client, owner, team):
    run = start(chat_lines(2), dataset=make_dataset(team=team))
    client.post(reverse("datasets:import_cancel", args=[run.pk]))
    file = {"file": run.file_name}
    assert told() == ("owner", "stopped", "dataset", file)

    client.post(reverse("datasets:import_resume", args=[run.pk]))
    assert told() == ("owner", "continued", "dataset", file)


def test_an_edit_that_is_stopped_and_goes_on(client, owner, team):
    edit = bulk_edits.start_edit(
        dataset=make_dataset(team=team), kind=BulkKind.DELETE, by=owner
    )
    client.post(reverse("datasets:edit_cancel", args=[edit.pk]))
    facts = {"kind": "delete", "edit": edit.pk}
    assert told() == ("owner", "stopped", "dataset", facts)

    client.post(reverse("datasets:edit_resume", args=[edit.pk]))
    assert told() == ("owner", "continued", "dataset", facts)


def test_a_freeze_and_one_that_is_stopped(client, owner, team):
    dataset = make_dataset(team=team)
    make_example(dataset=dataset)
    datasets.freeze(dataset=dataset, by=owner)
    assert told() == ("owner", "frozen", "datasetversion", {})

    run = datasets.start_freeze(dataset=dataset, by=owner)
    client.post(reverse("datasets:freeze_cancel", args=[run.pk]))
    assert told() == ("owner", "stopped", "dataset", {"freeze": run.pk})


def test_a_tag_that_is_deleted(client, owner, team):
    tag = Tag.objects.create(team=team, name="urgent")
    page = reverse("admin:datasets_app_tag_delete", args=[tag.pk])
    client.post(page, {"post": "yes"})
    assert told() == ("owner", "deleted", "tag", {})


def test_a_price(client, owner, team):
    price = {
        "team": team.pk,
        "base_model": "m",
        "usd_per_million_tokens": "1",
        "as_of": "2026-01-01",
    }
    client.post(reverse("admin:jobs_app_price_add"), price)
    assert told() == ("owner", "created", "price", {})


def test_a_comparison_that_may_cost_money(client, owner, team):
    job = make_job(team=team, status=JobStatus.SUCCEEDED)
    client.post(reverse("jobs:compare", args=[job.pk]))
    assert told() == ("owner", "compared", "finetuningjob", {})


def test_a_providers_check_and_its_end(client, owner, team):
    provider = make_provider(team=team)
    asked: dict[str, Any] = {"base_model": "m", "may_cost": False}
    check = jobs.start_check(provider, by=owner, **asked)
    assert told() == ("owner", "checked", "provider", asked)

    client.post(reverse("providers:check_cancel", args=[provider.pk]))
    assert told() == ("owner", "stopped", "provider", {"check": check.pk})


def test_files_that_are_deleted_at_a_provider(owner, team):
    provider = make_provider(team=team)
    LeftoverFile.objects.create(
        provider=provider, remote_id="f", name="old.jsonl", seen_at="2026-01-01T00:00Z"
    )
    jobs.request_deletion(LeftoverFile.objects.all(), by=owner)
    assert told() == ("owner", "deleted", "provider", {"file": "old.jsonl"})


def test_all_that_happens_to_a_webhook(owner, team):
    hook = Webhook(name="Chat", url="https://hooks.example/very-secret")
    teams.add_webhook(hook, team=team, by=owner)
    assert told()[:3] == ("owner", "created", "webhook")
    teams.renew_secret(hook, by=owner)
    assert told()[:3] == ("owner", "key_changed", "webhook")
    teams.switch_on(hook, by=owner)
    assert told()[:3] == ("owner", "resumed", "webhook")
    teams.remove_webhook(hook, by=owner)
    assert told()[:3] == ("owner", "deleted", "webhook")
    assert "very-s" not in str(list(AuditEntry.objects.values()))


def test_asking_and_deciding(owner, team):
    other = make_member(Role.LAUNCHER, team, username="other")
    team.approve_always = True
    team.save()
    first, second = make_job(team=team), make_job(team=team)
    jobs.launch_job(first, by=owner)
    assert told()[:3] == ("owner", "asked", "finetuningjob")
    jobs.launch_job(second, by=owner)

    jobs.approve(first, by=other)
    assert told()[:3] == ("other", "approved", "finetuningjob")
    jobs.decline(second, by=other, comment="No.")
    assert told()[:3] == ("other", "declined", "finetuningjob")


def test_a_retry(owner, team):
    job = make_job(team=team, status=JobStatus.FAILED)
    again = jobs.retry_job(job, by=owner)
    assert told() == ("owner", "retried", "finetuningjob", {"job": again.pk})


def test_a_change_in_the_admin_names_the_fields(client, owner, team):
    price = Price.objects.create(
        team=team, base_model="m", usd_per_million_tokens=1, as_of="2026-01-01"
    )
    page = reverse("admin:jobs_app_price_change", args=[price.pk])
    changed = {
        "base_model": "m",
        "usd_per_million_tokens": "2",
        "as_of": "2026-01-01",
    }
    client.post(page, changed)
    assert told()[:3] == ("owner", "changed", "price")
    assert len(told()[3]["fields"]) == 1
