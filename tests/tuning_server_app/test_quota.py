"""No organization keeps more on the disk than it may."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from tests.tuning_server_app.factories import make_file, make_upload
from tuning_server_app import file_store
from tuning_server_app.errors import ApiError
from tuning_server_app.models import File, FilePurpose, Organization, UploadPart
from tuning_server_app.services import files

LIMIT = 1000


@pytest.fixture(autouse=True)
def _little_room(settings: Any) -> None:
    settings.TUNING_SERVER_STORAGE_GB = LIMIT / 10**9


def send_file(api: Client, n_bytes: int) -> Any:
    file = SimpleUploadedFile("chats.jsonl", b"x" * n_bytes)
    return api.post("/v1/files", {"file": file, "purpose": "fine-tune"})


def send_part(api: Client, upload: object, n_bytes: int) -> Any:
    data = {"data": SimpleUploadedFile("upload", b"x" * n_bytes)}
    return api.post(f"/v1/uploads/{upload}/parts", data)


def begin(api: Client, n_bytes: int) -> Any:
    body = {
        "filename": "chats.jsonl",
        "purpose": "fine-tune",
        "bytes": n_bytes,
        "mime_type": "application/jsonl",
    }
    return api.post("/v1/uploads", body, "application/json")


def stored() -> Iterator[str]:
    return (path.name for path in file_store.folder().iterdir())


def test_what_just_fits_is_kept(api: Client):
    assert send_file(api, LIMIT).status_code == 200


def test_a_file_without_room_is_refused_and_leaves_nothing(api: Client):
    send_file(api, 600)
    refused = send_file(api, 401)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (413, "storage_quota_exceeded")
    assert "keeps 600 bytes here and may keep 1000, so 401 more" in error["message"]
    assert (File.objects.count(), len(list(stored()))) == (1, 1)


def test_a_deleted_file_makes_room(api: Client):
    file_id = send_file(api, LIMIT).json()["id"]
    api.delete(f"/v1/files/{file_id}")
    assert send_file(api, LIMIT).status_code == 200


def test_what_others_keep_takes_no_room(api: Client, organization: Organization):
    make_file(content=b"x" * LIMIT)
    assert send_file(api, LIMIT).status_code == 200


def test_the_parts_of_an_upload_count(api: Client, organization: Organization):
    upload = make_upload(organization, n_bytes=600)
    send_part(api, upload, 600)
    assert send_file(api, 401).status_code == 413
    assert send_file(api, 400).status_code == 200


def test_a_part_without_room_is_refused_and_leaves_nothing(
    api: Client, organization: Organization
):
    upload = make_upload(organization, n_bytes=LIMIT)
    send_part(api, upload, 600)
    refused = send_part(api, upload, 401)
    assert refused.json()["error"]["code"] == "storage_quota_exceeded"
    assert (UploadPart.objects.count(), len(list(stored()))) == (1, 1)


def test_an_upload_that_will_find_no_room_is_not_begun(api: Client):
    send_file(api, 600)
    assert begin(api, 401).json()["error"]["code"] == "storage_quota_exceeded"
    assert begin(api, 400).status_code == 200


def test_what_is_put_together_counts_once(api: Client):
    upload = begin(api, LIMIT).json()["id"]
    part = send_part(api, upload, LIMIT).json()["id"]
    body = {"part_ids": [part]}
    done = api.post(f"/v1/uploads/{upload}/complete", body, "application/json")
    assert done.json()["status"] == "completed"


def test_results_count_but_find_room_always(api: Client, organization: Organization):
    results = FilePurpose.FINE_TUNE_RESULTS
    make_file(organization, b"x" * (LIMIT + 1), purpose=results)
    assert send_file(api, 1).status_code == 413


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_of_two_files_at_once_only_one_finds_the_room_that_is_left(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
):
    both = Barrier(2)
    record = files.record_file

    def record_with_the_other(**fields: Any) -> File:
        with suppress(BrokenBarrierError):
            both.wait(timeout=0.5)  # it comes only if it was let through as well
        return record(**fields)

    def keep(_number: int) -> bool:
        try:
            make_file(organization, b"x" * 600)
        except ApiError:
            return False
        finally:
            connection.close()
        return True

    monkeypatch.setattr(files, "record_file", record_with_the_other)
    with ThreadPoolExecutor(2) as pool:
        kept = list(pool.map(keep, range(2)))
    assert sorted(kept) == [False, True]
    assert len(list(stored())) == 1
