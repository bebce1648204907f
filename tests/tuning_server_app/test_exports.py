"""Weights as files: packed or merged after their rows, by one worker, when wanted."""

import errno
import io
import json
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import make_job, make_model
from tuning_server_app import file_store, merge_process, tasks
from tuning_server_app.merge_process import NotMerged
from tuning_server_app.models import (
    Export,
    ExportKind,
    ExportState,
    Organization,
    TunedModel,
)
from tuning_server_app.services import exports, files
from tuning_server_app.services.tuned_models import delete_model, runs_folder

S = ExportState
FILES = "/v1/files"


@pytest.fixture
def model(organization: Organization) -> TunedModel:
    """A tuned model with its adapter on the disk, and its files offered."""
    model = make_model(make_job(organization=organization))
    folder = runs_folder() / model.adapter
    folder.mkdir(parents=True)
    config = {"r": 16, "base_model_name_or_path": "/srv/base/tiny"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "README.md").write_text("base_model: /srv/base/tiny")
    exports.offer(model)
    return model


@pytest.fixture(autouse=True)
def merging(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what merging does, instead of the real process."""

    def merging(during: Callable[[], object] = lambda: None) -> None:
        def merge(*_base: Any, target: Path, keep_going: Any, **_more: Any) -> None:
            during()
            keep_going()
            (target / "model.safetensors").write_bytes(b"merged")

        monkeypatch.setattr(merge_process, "merge", merge)

    merging()
    return merging


def export_of(kind: ExportKind) -> Export:
    return Export.objects.select_related("file", "tuned_model").get(kind=kind)


def make(kind: ExportKind) -> Export:
    exports.make(export_of(kind))
    return export_of(kind)


def ask(api: Client, kind: ExportKind) -> Any:
    return api.get(f"{FILES}/{export_of(kind).file.wire_id}/content")


def unpacked(response: Any) -> dict[str, bytes]:
    content = io.BytesIO(b"".join(response.streaming_content))
    with tarfile.open(fileobj=content) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]


def test_the_files_of_a_new_model_are_named_in_its_jobs_log(
    api: Client, model: TunedModel
):
    [event] = api.get(f"/v1/fine_tuning/jobs/{model.job.wire_id}/events").json()["data"]
    listed = api.get(f"{FILES}?purpose=fine-tune-results").json()["data"]
    assert {*event["data"].values()} == {file["id"] for file in listed}
    assert [file["status"] for file in listed] == ["uploaded"] * 2
    name = model.job.wire_id
    assert {file["filename"] for file in listed} == {
        f"{name}-adapter.tar",
        f"{name}-merged.tar",
    }


def test_the_adapter_is_packed_without_a_path_of_the_server(
    api: Client, model: TunedModel
):
    export = make(ExportKind.ADAPTER)
    response = ask(api, ExportKind.ADAPTER)
    assert int(response["Content-Length"]) == export.file.n_bytes
    packed = unpacked(response)
    folder = f"{model.job.wire_id}-adapter"
    weights = packed.pop(f"{folder}/adapter_model.safetensors")
    config = json.loads(packed.pop(f"{folder}/adapter_config.json"))
    assert (weights, packed) == (b"weights", {})
    assert config == {"r": 16, "base_model_name_or_path": model.base_model}


def test_the_merged_model_is_made_when_it_is_asked_for(
    api: Client, model: TunedModel, merging: Callable[..., None]
):
    assert export_of(ExportKind.MERGED) not in exports.wanted()
    response = ask(api, ExportKind.MERGED)
    assert (response.status_code, response["Retry-After"]) == (409, "10")
    assert response["x-should-retry"] == "true"
    assert response.json()["error"]["code"] == "weights_not_ready"
    make(ExportKind.MERGED)
    packed = unpacked(ask(api, ExportKind.MERGED))
    assert packed == {f"{model.job.wire_id}-merged/model.safetensors": b"merged"}
    file = export_of(ExportKind.MERGED).file
    assert api.get(f"{FILES}/{file.wire_id}").json()["status"] == "processed"


def test_what_nobody_asked_for_is_not_made(model: TunedModel):
    tasks.make_export(export_of(ExportKind.MERGED).pk)
    assert export_of(ExportKind.MERGED).state == S.UNASKED


def test_of_two_workers_one_makes_it(
    model: TunedModel, merging: Callable[..., None], api: Client
):
    ask(api, ExportKind.MERGED)
    times = []
    merging(during=lambda: times.append(1))
    first, second = export_of(ExportKind.MERGED), export_of(ExportKind.MERGED)
    exports.make(first)
    exports.make(second)
    assert times == [1]


def test_one_merge_at_a_time(
    api: Client,
    model: TunedModel,
    organization: Organization,
    merging: Callable[..., None],
):
    ask(api, ExportKind.MERGED)
    waiting = export_of(ExportKind.MERGED)
    busy = make_model(make_job(organization=organization))
    exports.offer(busy)
    other = Export.objects.filter(tuned_model=busy, kind=ExportKind.MERGED)
    other.update(state=S.MAKING, heartbeat_at=now())
    exports.make(waiting)
    waiting.refresh_from_db()
    assert waiting.state == S.WANTED


def test_what_a_dead_worker_was_making_is_wanted_again(model: TunedModel):
    late = now() - exports.HEART_STOPPED_AFTER - timedelta(seconds=1)
    Export.objects.update(state=S.MAKING, heartbeat_at=late)
    exports.give_back_lost()
    assert exports.wanted().count() == 2


def test_a_living_workers_work_is_left_to_it(model: TunedModel):
    Export.objects.update(state=S.MAKING, heartbeat_at=now())
    exports.give_back_lost()
    assert exports.wanted().count() == 0


def test_why_it_cannot_be_made_is_told_once_and_then_it_is_tried_again(
    api: Client, model: TunedModel, merging: Callable[..., None]
):
    def no_room() -> None:
        raise NotMerged("The server's disk has 1.0 GB free.")

    merging(during=no_room)
    ask(api, ExportKind.MERGED)
    file = make(ExportKind.MERGED).file
    assert api.get(f"{FILES}/{file.wire_id}").json()["status"] == "error"
    response = ask(api, ExportKind.MERGED)
    assert (response.status_code, response["x-should-retry"]) == (507, "false")
    assert "1.0 GB free" in response.json()["error"]["message"]
    merging()
    assert ask(api, ExportKind.MERGED).status_code == 409
    assert make(ExportKind.MERGED).state == S.READY


def test_a_full_disk_leaves_nothing_behind(
    api: Client, model: TunedModel, monkeypatch: pytest.MonkeyPatch
):
    def full(*_chunk: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_store.Draft, "write", full)
    export = make(ExportKind.ADAPTER)
    assert "No space left" in export.problem
    assert [*file_store.folder().iterdir()] == []


def test_a_file_deleted_while_it_is_made_leaves_nothing_behind(
    api: Client, model: TunedModel, merging: Callable[..., None]
):
    ask(api, ExportKind.MERGED)
    export = export_of(ExportKind.MERGED)
    merging(during=lambda: files.delete_file(export.file))
    exports.make(export)
    assert not Export.objects.filter(kind=ExportKind.MERGED).exists()
    assert [*file_store.folder().iterdir()] == []


def test_a_worker_that_is_told_to_stop_gives_it_back(
    api: Client,
    model: TunedModel,
    merging: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
):
    ask(api, ExportKind.MERGED)
    monkeypatch.setattr(exports.WorkerLife, "is_ending", True)
    assert make(ExportKind.MERGED).state == S.WANTED


def test_a_merged_model_that_nobody_uses_makes_room(
    api: Client, model: TunedModel, merging: Callable[..., None]
):
    ask(api, ExportKind.MERGED)
    make(ExportKind.MERGED)
    Export.objects.update(used_at=now() - exports.KEPT - timedelta(seconds=1))
    exports.drop_unused()
    export = export_of(ExportKind.MERGED)
    assert (export.state, export.file.status) == (S.UNASKED, "uploaded")
    assert [*file_store.folder().iterdir()] == []
    assert ask(api, ExportKind.MERGED).status_code == 409


def test_a_merged_model_in_use_stays(
    api: Client, model: TunedModel, merging: Callable[..., None]
):
    ask(api, ExportKind.MERGED)
    make(ExportKind.MERGED)
    Export.objects.update(used_at=now() - exports.KEPT - timedelta(seconds=1))
    unpacked(ask(api, ExportKind.MERGED))
    exports.drop_unused()
    assert export_of(ExportKind.MERGED).state == S.READY


def test_a_merged_model_that_cannot_be_made_again_stays(
    api: Client, model: TunedModel, merging: Callable[..., None]
):
    ask(api, ExportKind.MERGED)
    make(ExportKind.MERGED)
    delete_model(model)
    Export.objects.update(used_at=now() - exports.KEPT - timedelta(seconds=1))
    exports.drop_unused()
    assert export_of(ExportKind.MERGED).state == S.READY


def test_what_was_packed_outlives_the_model(api: Client, model: TunedModel):
    make(ExportKind.ADAPTER)
    delete_model(model)
    assert unpacked(ask(api, ExportKind.ADAPTER))
    assert ask(api, ExportKind.MERGED).status_code == 404


def test_a_packing_that_rang_unheard_is_found_by_the_tick(
    model: TunedModel,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
):
    task = tasks.make_export
    monkeypatch.setattr(task, "_ring", lambda args, kwargs: task(*args, **kwargs))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.drive_training()
    assert export_of(ExportKind.ADAPTER).state == S.READY


def test_what_cannot_be_made_since_its_model_is_gone_is_wanted_no_more(
    model: TunedModel,
):
    delete_model(model)
    assert make(ExportKind.ADAPTER).state == S.FAILED


def test_the_heart_beats_while_a_large_file_is_packed(
    api: Client,
    model: TunedModel,
    merging: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
):
    beats: list[int] = []
    monkeypatch.setattr(exports, "BEAT_SECONDS", -1.0)
    monkeypatch.setattr(exports, "_keep_going", lambda *_: beats.append(1))
    ask(api, ExportKind.MERGED)
    make(ExportKind.MERGED)
    assert len(beats) > len(["merged", "packed"])


def test_of_two_merges_that_begin_at_once_none_takes_the_others_memory(
    api: Client, model: TunedModel, monkeypatch: pytest.MonkeyPatch
):
    ask(api, ExportKind.MERGED)
    looks = iter([False, True])
    monkeypatch.setattr(exports, "_is_merging_besides", lambda _: next(looks))
    assert make(ExportKind.MERGED).state == S.WANTED


@pytest.mark.django_db(transaction=True)
def test_weights_made_while_their_file_is_deleted_leave_nothing_behind(
    model: TunedModel,
):
    seen = export_of(ExportKind.ADAPTER).file
    make(ExportKind.ADAPTER)
    files.delete_file(seen)
    assert list(file_store.folder().iterdir()) == []
