"""A provider's files: only those to train on, and what is gone is gone."""

from pathlib import Path

import pytest

from jobs_app import providers
from jobs_app.models import Provider, ProviderPace, ProviderRequests
from jobs_app.providers import OutgoingFile, ProviderClient, ProviderUnavailable
from tests.factories import make_team
from tests.jobs_app.fake_provider import API_KEY
from tests.jobs_app.faults import OPERATIONS


def client_of(provider: Provider) -> ProviderClient:
    return providers.connect(provider)


def test_files_for_other_purposes_are_none_to_train_on(faulty, faulty_provider):
    for purpose in ("fine-tune", "batch", ""):
        faulty.add_file(f"{purpose}.jsonl", b"{}", purpose=purpose)

    with client_of(faulty_provider) as client:
        names = {file.name for file in client.files()}

    assert names == {"fine-tune.jsonl", ".jsonl"}


def test_a_file_that_is_gone_already_counts_as_deleted(faulty_provider):
    with client_of(faulty_provider) as client:
        client.delete_file("file-gone")


def test_an_upload_that_ends_without_a_file_makes_no_sense(
    faulty, faulty_provider, tmp_path: Path
):
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")
    file = OutgoingFile(tmp_path / "a.jsonl", "a.jsonl")
    faulty.answers(*OPERATIONS["complete_upload"], 200, {"id": "upload-1"})

    with client_of(faulty_provider) as client, pytest.raises(ProviderUnavailable):
        client.complete_upload("upload-1", [], file)


def test_a_provider_that_is_only_being_tried_is_not_counted(db, faulty):
    tried = Provider(team=make_team(), name="New", base_url=faulty.base_url)
    tried.enter_key(API_KEY)

    with client_of(tried) as client:
        client.models()

    assert not ProviderRequests.objects.exists()
    assert not ProviderPace.objects.exists()


def test_a_connection_that_failed_is_counted_as_unreachable(faulty, faulty_provider):
    faulty.fails("list_models", "drop")

    with client_of(faulty_provider) as client, pytest.raises(ProviderUnavailable):
        client.models()

    assert ProviderRequests.objects.get().result == "unreachable"


def test_a_list_that_never_ends_is_left(faulty, faulty_provider, monkeypatch):
    monkeypatch.setattr("jobs_app.providers.listing.MAX_LISTED", 150)
    for n in range(160):
        faulty.add_file(f"{n}.jsonl", b"{}")

    with client_of(faulty_provider) as client:
        assert len(list(client.files())) == 150


def test_a_checkpoint_that_is_none_is_left_out(faulty, faulty_provider):
    job_id = faulty.add_job()["id"]
    whole = {"id": "c", "fine_tuned_model_checkpoint": "ft:x", "step_number": 1}
    faulty.checkpoints[job_id] = [whole, {**whole, "id": "d", "step_number": None}]

    with client_of(faulty_provider) as client:
        assert [each.id for each in client.checkpoints(job_id)] == ["c"]
