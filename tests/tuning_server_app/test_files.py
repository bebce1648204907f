"""/v1/files."""

import errno
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import chats, make_file
from tuning_server_app import file_store
from tuning_server_app.models import File, FilePurpose, Organization
from tuning_server_app.services import files
from tuning_server_app.views import files as files_view
from tuning_server_app.views import incoming


def upload(
    api: Client, content: bytes = b"", name: str = "a.jsonl", **fields: Any
) -> Any:
    file = SimpleUploadedFile(name, content or chats())
    return api.post("/v1/files", {"purpose": "fine-tune", "file": file, **fields})


def life(seconds: str) -> dict[str, Any]:
    return {
        "expires_after[anchor]": "created_at",
        "expires_after[seconds]": seconds,
    }


def stored() -> list[Path]:
    return list(file_store.folder().iterdir())


def test_an_upload_is_kept_byte_for_byte(api: Client):
    body = upload(api, chats(3), name="채팅.jsonl").json()
    assert body["filename"] == "채팅.jsonl"
    assert body["bytes"] == len(chats(3))
    assert body["status"] == "processed"
    content: Any = api.get(f"/v1/files/{body['id']}/content")
    assert b"".join(content.streaming_content) == chats(3)
    content.close()


def test_a_download_is_never_shown_in_place(api: Client, organization: Organization):
    file = make_file(organization, filename="page.html")
    content = api.get(f"/v1/files/{file.wire_id}/content")
    content.close()
    assert content["Content-Type"] == "application/octet-stream"
    assert content["Content-Disposition"].startswith("attachment")
    assert content["X-Content-Type-Options"] == "nosniff"


def test_the_clients_file_name_is_no_path(api: Client):
    upload(api, name="../../evil.jsonl")
    assert File.objects.get().filename == "evil.jsonl"
    assert [path.name for path in stored()] == [File.objects.get().blob]


def test_korean_is_sent_as_it_is(api: Client, organization: Organization):
    make_file(organization, filename="채팅.jsonl")
    assert "채팅".encode() in api.get("/v1/files").content


def test_an_upload_without_a_file_is_refused(api: Client):
    response = api.post("/v1/files", {"purpose": "fine-tune"})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


@pytest.mark.parametrize("purpose", ["", "assistants", "fine-tune-results"])
def test_another_purpose_is_refused_and_nothing_is_stored(api: Client, purpose: str):
    response = upload(api, purpose=purpose)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "purpose"
    assert stored() == []


def test_an_empty_file_is_refused(api: Client):
    file = SimpleUploadedFile("a.jsonl", b"")
    response = api.post("/v1/files", {"purpose": "fine-tune", "file": file})
    assert response.json()["error"]["message"] == "The file is empty."
    assert stored() == []


def test_a_file_over_the_limit_is_refused(api: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files_view, "MAX_BYTES", 99)
    response = upload(api, b"a" * 100)
    assert response.status_code == 413
    assert stored() == []


def test_an_upload_that_is_cut_off_is_refused(api: Client):
    whole = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    response = api.post(
        "/v1/files", whole + b"half of it", "multipart/form-data; boundary=x"
    )
    assert response.status_code == 400
    assert stored() == []
    assert not File.objects.exists()


def test_a_form_that_is_none_is_refused(api: Client):
    response = api.post("/v1/files", b"", "multipart/form-data; boundary=")
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


class FullDisk(file_store.Draft):
    """A draft on a disk that is full after the first bytes."""

    def write(self, chunk: bytes) -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            self.discard()


def test_on_a_full_disk_the_client_hears_it_and_nothing_stays(
    api: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(incoming, "Draft", FullDisk)
    response = upload(api)
    assert response.status_code == 507
    assert "disk is full" in response.json()["error"]["message"]
    assert response["x-should-retry"] == "false"
    assert stored() == []
    assert not File.objects.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_of_several_files_the_first_of_the_right_name_is_kept(
    api: Client, organization: Organization
):
    first, second, other = (
        SimpleUploadedFile(f"{name}.jsonl", name.encode())
        for name in ("first", "second", "other")
    )
    form = {"purpose": "fine-tune", "other": other, "file": [first, second]}
    file_id = api.post("/v1/files", form).json()["id"]
    content: Any = api.get(f"/v1/files/{file_id}/content")
    assert b"".join(content.streaming_content) == b"first"
    assert len(stored()) == 1


def test_a_file_without_a_purpose_is_refused(api: Client):
    file = SimpleUploadedFile("a.jsonl", chats())
    error = api.post("/v1/files", {"file": file}).json()["error"]
    assert (error["code"], error["param"]) == ("missing_required_parameter", "purpose")
    assert stored() == []


def test_a_draft_on_a_full_disk_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    draft = file_store.Draft()
    draft._file.close()
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(draft, "_file", full)
        with pytest.raises(OSError, match="No space left"):
            draft.write(b"a")
    assert stored() == []


def test_a_deleted_file_is_gone_from_the_disk(
    api: Client,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
):
    file = make_file(organization)
    with django_capture_on_commit_callbacks(execute=True):
        response = api.delete(f"/v1/files/{file.wire_id}")
    assert response.json() == {"id": file.wire_id, "object": "file", "deleted": True}
    assert stored() == []
    assert api.get(f"/v1/files/{file.wire_id}").status_code == 404


def test_the_bytes_of_other_files_stay(
    api: Client,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
):
    file, other = make_file(organization), make_file(organization)
    with django_capture_on_commit_callbacks(execute=True):
        api.delete(f"/v1/files/{file.wire_id}")
    assert stored() == [file_store.path_of(other.blob)]


def test_the_list_is_newest_first_and_walks_by_cursor(
    api: Client, organization: Organization
):
    first, second, third = (make_file(organization).wire_id for _ in range(3))
    page = api.get("/v1/files?limit=2").json()
    assert [file["id"] for file in page["data"]] == [third, second]
    assert page["has_more"]
    rest = api.get(f"/v1/files?limit=2&after={page['last_id']}").json()
    assert [file["id"] for file in rest["data"]] == [first]
    assert not rest["has_more"]


def test_the_list_can_be_oldest_first(api: Client, organization: Organization):
    files_ = [make_file(organization).wire_id for _ in range(2)]
    page = api.get("/v1/files?order=asc").json()
    assert [file["id"] for file in page["data"]] == files_


def test_the_list_can_be_of_one_purpose(api: Client, organization: Organization):
    make_file(organization)
    results = make_file(organization, purpose=FilePurpose.FINE_TUNE_RESULTS)
    page = api.get("/v1/files?purpose=fine-tune-results").json()
    assert [file["id"] for file in page["data"]] == [results.wire_id]


@pytest.mark.parametrize("query", ["order=up", "limit=-1", "limit=ten", "limit=٣"])
def test_a_list_that_makes_no_sense_is_refused(api: Client, query: str):
    assert api.get(f"/v1/files?{query}").status_code == 400


@pytest.mark.parametrize("query", ["limit=0", "after=unknown", "limit=99999999999999"])
def test_odd_pages_are_answered(api: Client, query: str):
    assert api.get(f"/v1/files?{query}").status_code == 200


def test_a_file_expires_when_its_uploader_said(api: Client):
    body = upload(api, **life("3600")).json()
    assert body["expires_at"] == pytest.approx(body["created_at"] + 3600, abs=2)


def test_a_life_may_be_said_in_json(api: Client):
    life_in_json = '{"anchor": "created_at", "seconds": 3600}'
    body = upload(api, expires_after=life_in_json).json()
    assert body["expires_at"] == pytest.approx(body["created_at"] + 3600, abs=2)


@pytest.mark.parametrize("text", ["", "soon", "[1]", '{"anchor": "created_at"}', "7"])
def test_a_life_that_is_no_life_is_refused(api: Client, text: str):
    response = upload(api, expires_after=text)
    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith("expires_after")
    assert stored() == []


def test_an_unknown_field_is_refused(api: Client):
    response = upload(api, expires_afer="7200")
    assert response.json()["error"]["param"] == "expires_afer"


@pytest.mark.parametrize("seconds", ["3599", "2592001", "-1", "soon", ""])
def test_an_impossible_life_is_refused(api: Client, seconds: str):
    response = upload(api, **life(seconds))
    assert response.status_code == 400
    assert stored() == []


def test_an_expired_file_is_hidden_and_then_deleted(
    api: Client,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
):
    file = make_file(organization, life_seconds=3600)
    File.objects.update(expires_at=now() - timedelta(seconds=1))
    assert api.get(f"/v1/files/{file.wire_id}").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        files.delete_expired_files()
    assert stored() == []
