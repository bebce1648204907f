"""/v1/uploads: a file in parts."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import chats, make_upload
from tuning_server_app import file_store
from tuning_server_app.errors import ApiError
from tuning_server_app.file_store import Draft
from tuning_server_app.models import (
    File,
    Organization,
    Upload,
    UploadPart,
    UploadStatus,
)
from tuning_server_app.services import uploads as services
from tuning_server_app.upload_request import parse_completion, parse_upload_request
from tuning_server_app.views import uploads

UPLOADS = "/v1/uploads"
CONTENT = chats()
HALF = len(CONTENT) // 2


def begin(api: Client, **overrides: Any) -> Any:
    body = {
        "filename": "chats.jsonl",
        "purpose": "fine-tune",
        "bytes": len(CONTENT),
        "mime_type": "application/jsonl",
        **overrides,
    }
    return api.post(UPLOADS, body, "application/json")


def begun(api: Client, **overrides: Any) -> str:
    return str(begin(api, **overrides).json()["id"])


def send(api: Client, upload_id: str, content: bytes) -> Any:
    data = {"data": SimpleUploadedFile("upload", content)}
    return api.post(f"{UPLOADS}/{upload_id}/parts", data)


def sent(api: Client, upload_id: str) -> list[str]:
    """Both halves, the second one first."""
    last, first = (
        send(api, upload_id, piece).json()["id"]
        for piece in (CONTENT[HALF:], CONTENT[:HALF])
    )
    return [first, last]


def complete(api: Client, upload_id: str, part_ids: Any, **more: Any) -> Any:
    body = {"part_ids": part_ids, **more.pop("body", {})}
    path = f"{UPLOADS}/{upload_id}/complete"
    return api.post(path, body, "application/json", **more)


def cancel(api: Client, upload_id: str) -> Any:
    return api.post(f"{UPLOADS}/{upload_id}/cancel", b"", "application/json")


def stored() -> set[str]:
    return {path.name for path in file_store.folder().iterdir()}


def refused(response: Any) -> str | None:
    assert response.status_code == 400, response.content
    param: str | None = response.json()["error"]["param"]
    return param


@pytest.mark.django_db(transaction=True)
def test_parts_become_a_file_in_the_order_of_their_ids(api: Client):
    upload_id = begun(api)
    parts = sent(api, upload_id)
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest().upper()
    body = complete(api, upload_id, parts, body={"md5": md5}).json()
    assert (body["status"], body["file"]["bytes"]) == ("completed", len(CONTENT))
    file = File.objects.get()
    assert file_store.path_of(file.blob).read_bytes() == CONTENT
    assert file.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert stored() == {file.blob}  # the parts are gone


def test_an_upload_is_open_for_an_hour(api: Client):
    body = begin(api).json()
    assert (body["status"], body["file"]) == ("pending", None)
    assert body["expires_at"] - body["created_at"] == 3600


def test_the_file_lives_as_long_as_was_said(api: Client):
    life = {"anchor": "created_at", "seconds": 7200}
    upload_id = begun(api, expires_after=life)
    file = complete(api, upload_id, sent(api, upload_id)).json()["file"]
    assert file["expires_at"] == pytest.approx(file["created_at"] + 7200, abs=2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("filename", ""),
        ("filename", None),
        ("purpose", "assistants"),
        ("bytes", 0),
        ("bytes", True),
        ("bytes", "12"),
        ("bytes", 8 * 1024**3 + 1),
        ("mime_type", None),
        ("expires_after", "soon"),
        ("byte", 12),
    ],
)
def test_a_wrong_field_is_named(api: Client, field: str, value: Any):
    assert refused(begin(api, **{field: value})) == field


@pytest.mark.parametrize(
    "life",
    [
        {},
        {"anchor": "now", "seconds": 3600},
        {"anchor": "created_at", "seconds": 3599},
        {"anchor": "created_at", "seconds": True},
    ],
)
def test_an_impossible_life_is_refused(api: Client, life: Any):
    param = refused(begin(api, expires_after=life))
    assert param is not None
    assert param.startswith("expires_after.")


def test_a_path_is_no_name(api: Client):
    assert begin(api, filename="../../etc\\a.jsonl").json()["filename"] == "a.jsonl"


@pytest.mark.parametrize(
    "part_ids", [None, [], "all", [1], ["part_unknown"], ["first"], ["first", "first"]]
)
def test_parts_that_do_not_make_the_whole_are_refused(api: Client, part_ids: Any):
    upload_id = begun(api)
    first, _last = sent(api, upload_id)
    if isinstance(part_ids, list):
        part_ids = [first if each == "first" else each for each in part_ids]
    assert refused(complete(api, upload_id, part_ids)) == "part_ids"
    assert Upload.objects.get().status == UploadStatus.PENDING
    assert not File.objects.exists()


def test_a_wrong_digest_is_refused_and_may_be_tried_again(api: Client):
    upload_id = begun(api)
    parts = sent(api, upload_id)
    kept = stored()
    wrong = {"md5": "0" * 32}
    assert refused(complete(api, upload_id, parts, body=wrong)) == "md5"
    assert stored() == kept  # the parts, and nothing beside them
    assert complete(api, upload_id, parts).status_code == 200


@pytest.mark.parametrize("md5", ["short", 7, "g" * 32])
def test_a_digest_that_is_none_is_refused(api: Client, md5: Any):
    upload_id = begun(api)
    assert refused(complete(api, upload_id, ["a"], body={"md5": md5})) == "md5"


def test_a_part_of_another_upload_is_unknown(api: Client):
    first, other = begun(api), begun(api)
    assert refused(complete(api, first, sent(api, other))) == "part_ids"


def test_the_repeat_of_a_lost_completion_gets_the_same_file(api: Client):
    upload_id = begun(api)
    parts = sent(api, upload_id)
    complete(api, upload_id, parts)
    again = {"X-Stainless-Retry-Count": "1"}
    answer = complete(api, upload_id, parts, headers=again)
    assert answer.json()["file"]["id"] == File.objects.get().wire_id


@pytest.mark.parametrize("status", sorted(set(UploadStatus) - {UploadStatus.PENDING}))
def test_what_has_ended_stays_ended(
    api: Client, organization: Organization, status: UploadStatus
):
    upload_id = make_upload(organization, status=status).wire_id
    for answer in (
        send(api, upload_id, b"a"),
        complete(api, upload_id, ["part_1"]),
        cancel(api, upload_id),
    ):
        assert answer.status_code == 400  # 409 would be repeated by the client
        assert f"is {status}" in answer.json()["error"]["message"]
    assert stored() == set()


def test_an_upload_past_its_hour_takes_nothing_more(
    api: Client, organization: Organization
):
    late = make_upload(organization, expires_at=now() - timedelta(seconds=1))
    answer = send(api, late.wire_id, b"a")
    assert "is expired" in answer.json()["error"]["message"]


@pytest.mark.django_db(transaction=True)
def test_a_cancel_frees_the_disk(api: Client):
    upload_id = begun(api)
    sent(api, upload_id)
    assert cancel(api, upload_id).json()["status"] == "cancelled"
    assert stored() == set()
    assert not UploadPart.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_nobody_completes_expires(api: Client):
    upload_id = begun(api)
    sent(api, upload_id)
    in_time = begun(api)
    Upload.objects.filter(wire_id=upload_id).update(expires_at=now())
    services.expire_uploads()
    assert stored() == set()
    open_ones = Upload.objects.filter(status=UploadStatus.PENDING)
    assert [upload.wire_id for upload in open_ones] == [in_time]


def test_a_part_over_the_limit_is_refused(api: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MAX_PART_BYTES", 9)
    assert send(api, begun(api), b"a" * 10).status_code == 413
    assert stored() == set()


def test_an_empty_part_is_refused(api: Client):
    assert refused(send(api, begun(api), b"")) == "data"


def test_a_part_comes_alone(api: Client):
    data = {"data": SimpleUploadedFile("upload", b"a"), "number": "1"}
    answer = api.post(f"{UPLOADS}/{begun(api)}/parts", data)
    assert refused(answer) == "number"
    assert stored() == set()


def test_a_part_that_is_sent_twice_does_no_harm(api: Client):
    upload_id = begun(api)
    sent(api, upload_id)
    assert complete(api, upload_id, sent(api, upload_id)).status_code == 200


def test_far_more_than_was_announced_is_not_stored(api: Client):
    upload_id = begun(api, bytes=10)
    assert send(api, upload_id, b"a" * 20).status_code == 200
    kept = stored()
    assert refused(send(api, upload_id, b"a")) == "data"
    assert stored() == kept


def test_parts_are_not_without_number(api: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services, "MAX_PARTS", 1)
    upload_id = begun(api)
    send(api, upload_id, b"a")
    assert refused(send(api, upload_id, b"b")) == "data"


def test_of_two_completions_one_wins(api: Client, monkeypatch: pytest.MonkeyPatch):
    """The other one ends the upload while this one still joins the parts."""
    upload_id = begun(api)
    parts = sent(api, upload_id)
    join = services._join

    def join_and_lose(draft: Draft, rows: list[UploadPart]) -> str:
        digest = join(draft, rows)
        Upload.objects.update(status=UploadStatus.COMPLETED)
        return digest

    monkeypatch.setattr(services, "_join", join_and_lose)
    kept = stored()
    refused(complete(api, upload_id, parts))
    assert not File.objects.exists()
    assert stored() == kept


def test_a_cancel_after_the_end_is_refused(organization: Organization):
    upload = make_upload(organization)
    Upload.objects.update(status=UploadStatus.COMPLETED)
    with pytest.raises(ApiError, match=r"is completed\. Only"):
        services.cancel_upload(upload)


def test_a_part_that_comes_when_the_upload_ended_is_not_kept(
    organization: Organization,
):
    upload = make_upload(organization)
    Upload.objects.update(status=UploadStatus.CANCELLED)
    draft = Draft()
    draft.write(b"late")
    with pytest.raises(ApiError, match="is cancelled"):
        services.add_part(upload, draft)
    assert stored() == set()


def test_a_part_in_memory_is_never_whole(api: Client, monkeypatch: pytest.MonkeyPatch):
    """Pieces go to the disk as they come, none larger than Django's 64 KiB."""
    sizes: list[int] = []
    write = Draft.write

    def watch(draft: Draft, chunk: bytes) -> None:
        sizes.append(len(chunk))
        write(draft, chunk)

    monkeypatch.setattr(Draft, "write", watch)
    send(api, begun(api, bytes=1_000_000), b"a" * 1_000_000)
    assert sum(sizes) == 1_000_000
    assert max(sizes) <= 64 * 1024


def test_on_a_full_disk_the_parts_stay(api: Client, monkeypatch: pytest.MonkeyPatch):
    upload_id = begun(api)
    parts = sent(api, upload_id)
    kept = stored()

    def fail(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Draft, "write", fail)
        answer = complete(api, upload_id, parts)
    assert (answer.status_code, answer["x-should-retry"]) == (507, "false")
    assert stored() == kept
    assert complete(api, upload_id, parts).status_code == 200
    assert Path(file_store.path_of(File.objects.get().blob)).exists()


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_another_request_completes_meanwhile_is_pending_no_more(
    api: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
):
    upload_id = begun(api)
    parts = sent(api, upload_id)
    joined = services._in_order

    def lose_the_race(*upload: Any) -> Any:
        monkeypatch.setattr(services, "_in_order", joined)
        found = joined(*upload)
        complete(api, upload_id, parts)
        return found

    monkeypatch.setattr(services, "_in_order", lose_the_race)
    response = complete(api, upload_id, parts)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "upload_not_pending"
    assert stored() == {File.objects.get().blob}


def test_a_first_completion_that_calls_itself_a_repeat_completes(api: Client):
    upload_id = begun(api)
    again = {"X-Stainless-Retry-Count": "1"}
    answer = complete(api, upload_id, sent(api, upload_id), headers=again)
    assert answer.json()["file"]["id"] == File.objects.get().wire_id


def test_a_second_completion_that_is_no_repeat_is_refused(api: Client):
    upload_id = begun(api)
    parts = sent(api, upload_id)
    complete(api, upload_id, parts)
    assert complete(api, upload_id, parts).status_code == 400


def test_an_upload_past_its_hour_is_not_cancelled(
    api: Client, organization: Organization
):
    late = make_upload(organization, expires_at=now() - timedelta(seconds=1))
    assert cancel(api, late.wire_id).status_code == 400


def test_what_an_ended_upload_is_sent_is_not_even_read(
    api: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Draft, "write", lambda *_: pytest.fail("it was read"))
    ended = make_upload(organization, status=UploadStatus.CANCELLED)
    assert send(api, ended.wire_id, b"a").status_code == 400


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_what_is_no_object_asks_for_no_upload(body: Any):
    for parse in (parse_upload_request, parse_completion):
        with pytest.raises(ApiError, match="must be a JSON object"):
            parse(body)
