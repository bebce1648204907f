"""Datasets, imports and versions in the admin."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from datasets_app import services
from datasets_app.models import Dataset, FreezeRun
from teams_app.models import Role
from tests.factories import (
    make_dataset,
    make_example,
    make_member,
    make_team,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    return make_dataset(name="Card game")


@pytest.fixture
def owner(client, dataset):
    client.force_login(make_member(Role.OWNER, dataset.team))
    return client


def change_page(client, row) -> str:
    name = f"admin:datasets_app_{row._meta.model_name}_change"
    return client.get(reverse(name, args=[row.pk])).content.decode()


@pytest.mark.usefixtures("_tasks_at_once")
def test_freezing_makes_a_version(owner, dataset, django_capture_on_commit_callbacks):
    make_example(dataset=dataset)
    url = reverse("admin:datasets_app_dataset_freeze", args=[dataset.pk])
    assert owner.get(url).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        response = owner.post(url, {"note": "first"})

    run = FreezeRun.objects.get()
    assert run.version
    assert run.version.note == "first"
    assert response.url == reverse("datasets:freeze_run", args=[run.pk])


def test_the_dataset_shows_its_counts_and_its_buttons(owner, dataset):
    make_example(dataset=dataset, state="approved")
    shown = change_page(owner, dataset)

    for page in ("datasets:import", "admin:datasets_app_dataset_freeze"):
        assert reverse(page, args=[dataset.pk]) in shown


def test_a_curator_is_offered_no_freeze(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    shown = change_page(client, dataset)

    assert "/import/" in shown
    assert "/freeze/" not in shown


def test_a_dataset_is_made_by_whoever_adds_it(client, dataset):
    user = make_member(Role.CURATOR, dataset.team)
    client.force_login(user)
    data = {"team": dataset.team_id, "name": "New"}
    client.post(reverse("admin:datasets_app_dataset_add"), data)

    assert Dataset.objects.get(name="New").created_by == user


def test_a_dataset_stays_in_its_team(client, dataset):
    user = make_member(Role.OWNER, dataset.team)
    other = make_team()
    other.membership_set.create(user=user, role=Role.OWNER)
    client.force_login(user)
    url = reverse("admin:datasets_app_dataset_change", args=[dataset.pk])
    client.post(url, {"name": "Renamed", "team": other.pk})
    team = dataset.team
    dataset.refresh_from_db()

    assert (dataset.name, dataset.team) == ("Renamed", team)


def test_a_version_offers_its_exact_bytes(owner, dataset):
    make_example(dataset=dataset)
    version = services.freeze(dataset=dataset, by=None)
    url = reverse("datasets:version_file", args=[version.pk, "train"])

    assert url in change_page(owner, version)


def test_a_dataset_with_versions_is_not_deleted(owner, dataset):
    make_example(dataset=dataset)
    services.freeze(dataset=dataset, by=None)
    url = reverse("admin:datasets_app_dataset_delete", args=[dataset.pk])
    owner.post(url, {"post": "yes"})

    assert Dataset.objects.filter(pk=dataset.pk).exists()


def test_an_owner_deletes_a_dataset_without_versions(owner, dataset):
    make_example(dataset=dataset)
    url = reverse("admin:datasets_app_dataset_delete", args=[dataset.pk])
    owner.post(url, {"post": "yes"})

    assert not Dataset.objects.filter(pk=dataset.pk).exists()


@pytest.mark.parametrize("model", ["dataset", "importrun", "datasetversion"])
def test_a_list_takes_the_same_queries_for_many_as_for_one(
    owner, dataset, model, django_assert_max_num_queries
):
    for _ in range(12):
        other = make_dataset(team=dataset.team)
        make_example(dataset=other)
        services.freeze(dataset=other, by=None)
        services.start_import(
            dataset=other,
            file=SimpleUploadedFile("x", b"x"),
            file_name="x",
            split="train",
        )
    url = reverse(f"admin:datasets_app_{model}_changelist")
    with django_assert_max_num_queries(8):
        assert owner.get(url).status_code == 200
