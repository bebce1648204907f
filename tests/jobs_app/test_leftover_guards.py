"""Whose file it is that lies at a provider, and what was asked about it before."""

from typing import Any

import pytest
from django.utils.timezone import now

from datasets_app.models import DatasetVersion
from jobs_app import services
from jobs_app.models import JobStatus, LeftoverFile, LeftoverReason, RemoteFile
from jobs_app.services.uploading import file_name
from tests.factories import make_dataset, make_job, make_provider, make_version
from tests.jobs_app.faults import OPERATIONS

pytestmark = pytest.mark.django_db
VALIDATION_HASH = "b" * 64


@pytest.fixture
def version(faulty_provider) -> DatasetVersion:
    dataset = make_dataset(team=faulty_provider.team)
    return make_version(dataset=dataset, validation_sha256=VALIDATION_HASH)


def listed(faulty, sha256: str) -> str:
    """The id of a file of that content at the provider."""
    return faulty.add_file(file_name(1, "train", sha256), b"{}")["id"]


def reasons(provider) -> dict[str, str]:
    services.look_for_leftovers(provider)
    return dict(LeftoverFile.objects.values_list("remote_id", "reason"))


def leftover(provider, **fields: Any) -> LeftoverFile:
    given = {"remote_id": "file-1", "name": "a.jsonl", "seen_at": now(), **fields}
    return LeftoverFile.objects.create(provider=provider, **given)


def test_another_look_keeps_what_was_asked_for(faulty, faulty_provider):
    listed(faulty, "a" * 64)
    services.look_for_leftovers(faulty_provider)
    services.request_deletion(LeftoverFile.objects.all(), by=None)

    services.look_for_leftovers(faulty_provider)

    assert LeftoverFile.objects.get().delete_requested_at is not None


def test_a_job_of_another_version_needs_no_file(faulty, faulty_provider, version):
    file_id = listed(faulty, version.training_sha256)
    RemoteFile.objects.create(
        provider=faulty_provider, dataset_version=version, remote_id=file_id
    )
    make_job(provider=faulty_provider, status=JobStatus.RUNNING)

    assert reasons(faulty_provider) == {file_id: LeftoverReason.UNUSED}


@pytest.mark.parametrize(
    "row", [{"sent_at": None}, {"sent_at": now(), "remote_id": "file-other"}]
)
def test_what_nobody_is_sending_is_not_on_its_way(
    faulty, faulty_provider, version, row
):
    file_id = listed(faulty, version.training_sha256)
    of_it = {"provider": faulty_provider, "dataset_version": version}
    RemoteFile.objects.create(**of_it, **row)

    assert reasons(faulty_provider) == {file_id: LeftoverReason.NOT_OURS_NOW}


def test_what_is_on_its_way_is_known_by_its_hash(faulty, faulty_provider, version):
    other = listed(faulty, "c" * 64)
    for sha256 in (version.training_sha256, VALIDATION_HASH):
        listed(faulty, sha256)
    RemoteFile.objects.create(
        provider=faulty_provider, dataset_version=version, sent_at=now()
    )

    assert reasons(faulty_provider) == {other: LeftoverReason.NOT_OURS_NOW}


def test_only_what_was_asked_for_and_did_not_fail_is_deleted_by_the_tick():
    leftover(make_provider())
    failed = {"delete_requested_at": now(), "problem": "not with this key"}
    leftover(make_provider(), **failed)

    assert services.providers_with_deletions() == []


def test_a_file_that_is_needed_again_leaves_the_list(faulty, faulty_provider, version):
    file_id = listed(faulty, version.training_sha256)
    of_it = {"provider": faulty_provider, "dataset_version": version}
    RemoteFile.objects.create(**of_it, remote_id=file_id)
    leftover(faulty_provider, remote_id=file_id, delete_requested_at=now())
    make_job(**of_it, status=JobStatus.RUNNING)

    services.delete_leftovers(faulty_provider)

    assert not LeftoverFile.objects.exists()
    assert list(faulty.files) == [file_id]


def test_what_went_wrong_is_noted_of_one_file(faulty, faulty_provider):
    other = leftover(faulty_provider, remote_id="file-2")
    leftover(faulty_provider, delete_requested_at=now())
    faulty.refuses(*OPERATIONS["delete_file"], 403, "not with this key")

    services.delete_leftovers(faulty_provider)

    other.refresh_from_db()
    assert other.problem == ""
