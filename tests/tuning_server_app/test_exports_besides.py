"""What is made or dropped of one export leaves the others alone."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils.timezone import now

from tests.tuning_server_app.factories import make_job, make_model
from tuning_server_app import file_store, merge_process
from tuning_server_app.models import Export, ExportKind, ExportState, TunedModel
from tuning_server_app.services import exports, files
from tuning_server_app.services.tuned_models import runs_folder

pytestmark = pytest.mark.django_db
S = ExportState
LONG_AGO = timedelta(days=30)
WORKER: Any = SimpleNamespace(is_ending=False)


def offered(kind: ExportKind, **fields: Any) -> Export:
    """An export of a new model whose adapter is on the disk."""
    model = make_model(make_job())
    folder = runs_folder() / model.adapter
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 16}))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    exports.offer(model)
    found = Export.objects.filter(tuned_model=model, kind=kind)
    found.update(**fields)
    return found.select_related("file", "tuned_model").get()


def state_of(export: Export) -> str:
    return Export.objects.get(pk=export.pk).state


@pytest.fixture(autouse=True)
def merges(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders in which was merged."""
    found: list[Path] = []

    def merge(*_base: Any, target: Path, **_more: Any) -> None:
        found.append(target)
        (target / "model.safetensors").write_bytes(b"merged")

    monkeypatch.setattr(merge_process, "merge", merge)
    return found


def test_what_is_ready_is_not_lost_with_its_worker():
    ready = offered(ExportKind.ADAPTER, state=S.READY, heartbeat_at=now() - LONG_AGO)
    exports.give_back_lost()
    assert state_of(ready) == S.READY


@pytest.mark.parametrize(
    ("kind", "state"),
    [(ExportKind.ADAPTER, S.READY), (ExportKind.MERGED, S.WANTED)],
)
def test_only_a_merged_model_that_is_ready_makes_room(
    kind: ExportKind, state: ExportState
):
    export = offered(kind, state=state, used_at=now() - LONG_AGO)
    exports.drop_unused()
    assert state_of(export) == state


def test_an_adapter_is_packed_while_a_model_is_merged():
    offered(ExportKind.MERGED, state=S.MAKING, heartbeat_at=now())
    adapter = offered(ExportKind.ADAPTER)
    exports.make(adapter)
    assert state_of(adapter) == S.READY


@pytest.mark.parametrize(
    ("kind", "state", "age"),
    [
        (ExportKind.ADAPTER, S.MAKING, timedelta()),
        (ExportKind.MERGED, S.READY, timedelta()),
        (ExportKind.MERGED, S.MAKING, LONG_AGO),
    ],
)
def test_only_a_merge_that_lives_holds_up_another(
    merges: list[Path], kind: ExportKind, state: ExportState, age: timedelta
):
    offered(kind, state=state, heartbeat_at=now() - age)
    merged = offered(ExportKind.MERGED, state=S.WANTED)
    exports.make(merged)
    assert state_of(merged) == S.READY


def test_of_two_that_are_wanted_one_is_made():
    one, other = offered(ExportKind.ADAPTER), offered(ExportKind.ADAPTER)
    exports.make(one)
    assert (state_of(one), state_of(other)) == (S.READY, S.WANTED)


def test_the_use_of_one_is_noted_for_it_alone():
    one, _other = (
        offered(ExportKind.ADAPTER, state=S.READY, used_at=now() - LONG_AGO)
        for _ in range(2)
    )
    exports.ask_for(one.file)
    used_lately = Export.objects.filter(used_at__gt=now() - timedelta(days=1))
    assert used_lately.get() == one


def test_whoever_lost_an_export_stops_working_on_it():
    lost = offered(ExportKind.ADAPTER, state=S.WANTED)
    offered(ExportKind.ADAPTER, state=S.MAKING)
    with pytest.raises(exports.ExportLost):
        exports._keep_going(lost, WORKER)


def test_a_file_deleted_while_its_adapter_is_packed_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
):
    export = offered(ExportKind.ADAPTER)
    monkeypatch.setattr(
        exports, "_add_adapter", lambda *_: files.delete_file(export.file)
    )
    exports.make(export)
    assert list(file_store.folder().iterdir()) == []


def test_a_merge_leaves_no_folder_behind(merges: list[Path], settings: Any):
    merged = offered(ExportKind.MERGED, state=S.WANTED)
    root = Path(settings.TUNING_SERVER_DIR) / "exports"
    killed = root / f"{merged.pk}-of-a-killed-worker"
    killed.mkdir(parents=True)
    exports.make(merged)
    assert merges
    assert [path for path in root.iterdir() if path.is_dir()] == []


def test_a_folder_of_another_merge_is_left_to_it(merges: list[Path], settings: Any):
    merged = offered(ExportKind.MERGED, state=S.WANTED)
    other = Path(settings.TUNING_SERVER_DIR) / "exports" / f"{merged.pk}0-at-work"
    other.mkdir(parents=True)
    exports.make(merged)
    assert other.exists()


def test_a_model_without_its_base_is_not_merged(merges: list[Path]):
    merged = offered(ExportKind.MERGED, state=S.WANTED)
    TunedModel.objects.update(base_model="gone")
    exports.make(Export.objects.get(pk=merged.pk))
    assert (state_of(merged), merges) == (S.FAILED, [])


def test_the_disk_never_holds_all_of_a_merged_model_twice(
    monkeypatch: pytest.MonkeyPatch,
):
    def merge(*_base: Any, target: Path, **_more: Any) -> None:
        for name in "abc":
            (target / name).write_bytes(b"merged")

    seen: list[list[str]] = []
    monkeypatch.setattr(merge_process, "merge", merge)
    add = exports.Archive.add_file

    def look_and_add(archive: Any, path: Path, *more: Any) -> None:
        seen.append(sorted(each.name for each in path.parent.iterdir()))
        add(archive, path, *more)

    monkeypatch.setattr(exports.Archive, "add_file", look_and_add)
    exports.make(offered(ExportKind.MERGED, state=S.WANTED))
    assert seen == [["a", "b", "c"], ["b", "c"], ["c"]]


def test_an_export_and_its_file_change_together():
    export = offered(ExportKind.ADAPTER)
    with pytest.raises(IntegrityError):
        exports._move(export, S.READY, file={"n_bytes": None})
    assert state_of(export) == S.WANTED


def test_a_use_is_noted_once_an_hour():
    half_an_hour_ago = now() - timedelta(minutes=30)
    export = offered(ExportKind.ADAPTER, state=S.READY, used_at=half_an_hour_ago)
    exports.ask_for(export.file)
    assert Export.objects.get(pk=export.pk).used_at == half_an_hour_ago


def test_why_an_export_could_not_be_written_is_in_the_log(caplog: Any):
    export = offered(ExportKind.ADAPTER)
    assert export.tuned_model is not None
    shutil.rmtree(runs_folder() / export.tuned_model.adapter)
    exports.make(export)
    assert state_of(export) == S.FAILED
    assert "could not be written" in caplog.text
