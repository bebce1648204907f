import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import ProtectedError
from django.utils.timezone import now

from datasets_app import services
from datasets_app.frozen import FrozenRowsError
from datasets_app.models import (
    DatasetVersion,
    Example,
    FreezeFailure,
    FreezeRun,
    Method,
    ReviewState,
    RunStatus,
    Split,
    VersionRow,
)
from datasets_app.services import part_writer, row_stream, runs, versions
from tests.datasets_app.bad_rows import OTHER, PREFERRED, USER
from tests.factories import (
    make_dataset,
    make_example,
    make_job,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


def frozen_bytes(version: DatasetVersion, split: Split = Split.TRAIN) -> bytes:
    return Path(version.file_of(split).path).read_bytes()


def test_a_version_has_the_exact_bytes_and_their_hash():
    dataset = make_dataset()
    turns = [
        {"content": "네 더 블레이드?", "role": "user"},
        {"role": "assistant", "weight": 1, "content": "20 <b>"},
    ]
    make_example(dataset=dataset, messages=turns)
    version = services.freeze(dataset=dataset, by=None)

    expected = (
        '{"messages":[{"role":"user","content":"네 더 블레이드?"},'
        '{"role":"assistant","content":"20 <b>","weight":1}]}\n'
    ).encode()
    assert frozen_bytes(version) == expected
    assert version.training_sha256 == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize(
    ("method", "parts", "line"),
    [
        (
            Method.DPO,
            {"preferred_output": PREFERRED, "non_preferred_output": OTHER},
            {
                "input": {"messages": [USER]},
                "preferred_output": PREFERRED,
                "non_preferred_output": OTHER,
            },
        ),
        (
            Method.REINFORCEMENT,
            {"extra": {"answer": 42}},
            {"messages": [USER], "answer": 42},
        ),
    ],
)
def test_a_version_has_the_lines_of_its_method(method, parts, line):
    dataset = make_dataset(method=method)
    example = make_example(dataset=dataset, messages=[USER], **parts)
    version = services.freeze(dataset=dataset, by=None)

    frozen = frozen_bytes(version)
    assert json.loads(frozen) == line
    assert hashlib.sha256(frozen.rstrip(b"\n")).hexdigest() == example.content_hash


def test_further_keys_stay_out_of_a_supervised_version():
    dataset = make_example(extra={"source": "forum"}).dataset

    assert b"forum" not in frozen_bytes(services.freeze(dataset=dataset, by=None))


def test_a_version_counts_its_rows_and_tokens():
    dataset, by = make_dataset(), make_user()
    examples = [make_example(dataset=dataset) for _ in range(3)]
    held_out = make_example(dataset=dataset, split=Split.VALIDATION)
    version = services.freeze(dataset=dataset, by=by, note="first")

    assert version.n_training_rows == 3
    assert version.n_training_tokens == sum(each.n_tokens for each in examples)
    assert version.n_validation_rows == 1
    assert version.n_validation_tokens == held_out.n_tokens
    assert (
        version.validation_sha256
        == hashlib.sha256(frozen_bytes(version, Split.VALIDATION)).hexdigest()
    )
    assert (version.note, version.created_by) == ("first", by)


def test_without_validation_rows_there_is_no_validation_file():
    version = services.freeze(dataset=make_example().dataset, by=None)

    assert not version.validation_file
    assert version.validation_sha256 == ""


def test_rejected_and_invalid_rows_stay_out():
    dataset = make_dataset()
    kept = make_example(dataset=dataset)
    make_example(dataset=dataset, state=ReviewState.REJECTED)
    make_example(dataset=dataset, messages=[{"role": "user", "content": "Hi"}])
    version = services.freeze(dataset=dataset, by=None)

    assert [row.example for row in version.rows.all()] == [kept]


def test_approved_only_takes_only_what_is_approved():
    dataset = make_dataset()
    make_example(dataset=dataset)
    approved = make_example(dataset=dataset, state=ReviewState.APPROVED)
    version = services.freeze(dataset=dataset, by=None, approved_only=True)

    assert [row.example for row in version.rows.all()] == [approved]
    assert version.approved_only


def test_rows_come_in_the_order_of_the_dataset(monkeypatch):
    monkeypatch.setattr(row_stream, "PIECE_ROWS", 2)
    dataset = make_dataset()
    examples = [make_example(dataset=dataset) for _ in range(5)]
    Example.objects.filter(pk=examples[0].pk).update(position=9)
    version = services.freeze(dataset=dataset, by=None)

    expected = [*examples[1:], examples[0]]
    manifest = version.rows.order_by("line_number")
    assert [row.example for row in manifest] == expected
    assert [row.line_number for row in manifest] == [1, 2, 3, 4, 5]
    lines = frozen_bytes(version).decode().splitlines()
    assert [json.loads(line)["messages"] for line in lines] == [
        example.messages for example in expected
    ]
    assert [hashlib.sha256(line.encode()).hexdigest() for line in lines] == [
        row.content_hash for row in manifest
    ]


def test_the_same_content_gives_the_same_bytes_and_a_new_number():
    dataset = make_example().dataset
    first = services.freeze(dataset=dataset, by=None)
    second = services.freeze(dataset=dataset, by=None)
    make_example(dataset=dataset)
    third = services.freeze(dataset=dataset, by=None)

    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert frozen_bytes(first) == frozen_bytes(second)
    assert second.first_with_same_content() == first
    assert third.first_with_same_content() is None


def test_another_datasets_version_is_not_the_same():
    make_version(training=b"x\n")
    other = make_version(training=b"x\n")

    assert other.first_with_same_content() is None


def stored_files() -> list[str]:
    """The names of all frozen files."""
    is_there = default_storage.exists("versions")
    return sorted(default_storage.listdir("versions")[1]) if is_there else []


@pytest.mark.parametrize("approved_only", [True, False])
def test_nothing_to_freeze_is_said_and_leaves_no_trace(approved_only):
    dataset = make_dataset()
    make_example(dataset=dataset, split=Split.VALIDATION)
    before = stored_files()

    with pytest.raises(services.FreezeFailed, match="No training row is valid"):
        services.freeze(dataset=dataset, by=None, approved_only=approved_only)

    assert not DatasetVersion.objects.exists()
    assert stored_files() == before


def test_a_failure_leaves_no_file_behind(monkeypatch):
    dataset = make_example().dataset
    before = stored_files()
    monkeypatch.setattr(versions, "insert_rows", explode)

    with pytest.raises(PowerCut):
        services.freeze(dataset=dataset, by=None)

    assert stored_files() == before
    assert not DatasetVersion.objects.exists()


def test_a_full_disk_is_said(monkeypatch):
    dataset = make_example().dataset

    def no_room(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(versions.PartWriter, "add", no_room)
    with pytest.raises(services.FreezeFailed, match="disk may be full"):
        services.freeze(dataset=dataset, by=None)


def test_a_disk_that_fills_up_while_a_thread_writes_is_said(monkeypatch):
    dataset = make_example().dataset

    def no_room(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(versions.PartWriter, "_write", no_room)
    with pytest.raises(services.FreezeFailed, match="disk may be full"):
        services.freeze(dataset=dataset, by=None)


def test_many_pieces_make_the_same_file(monkeypatch):
    dataset = make_dataset()
    for _ in range(5):
        make_example(dataset=dataset)
    at_once = services.freeze(dataset=dataset, by=None)
    monkeypatch.setattr(part_writer, "PIECE_BYTES", 1)
    piecemeal = services.freeze(dataset=dataset, by=None)

    assert frozen_bytes(piecemeal) == frozen_bytes(at_once)
    assert piecemeal.training_sha256 == at_once.training_sha256


def test_a_storage_that_cannot_name_files_gets_a_copy(monkeypatch):
    dataset = make_example().dataset
    named = services.freeze(dataset=dataset, by=None)

    def elsewhere(*_args):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(versions, "give_name", elsewhere)
    copied = services.freeze(dataset=dataset, by=None)

    assert frozen_bytes(copied) == frozen_bytes(named)


def test_a_row_deleted_while_it_is_frozen_is_in_the_file_all_the_same(monkeypatch):
    dataset = make_example().dataset
    doomed = make_example(dataset=dataset)
    pk, store = doomed.pk, versions.store_version

    def delete_and_store(*args):
        doomed.delete()
        store(*args)

    monkeypatch.setattr(versions, "store_version", delete_and_store)
    version = services.freeze(dataset=dataset, by=None)

    assert version.n_training_rows == 2
    row = version.rows.select_related("example").get(line_number=2)
    assert (row.example_id, row.example) == (pk, None)


def test_a_line_is_where_the_manifest_says():
    dataset = make_example().dataset
    make_example(dataset=dataset)
    version = services.freeze(dataset=dataset, by=None)
    row = version.rows.get(line_number=2)

    line = frozen_bytes(version)[row.offset :].rstrip(b"\n")
    assert hashlib.sha256(line).hexdigest() == row.content_hash


class PowerCut(Exception):
    pass


def explode(*_args) -> NoReturn:
    raise PowerCut


class TestARun:
    @pytest.fixture
    def run(self):
        dataset = make_example().dataset
        make_example(dataset=dataset)
        return services.start_freeze(dataset=dataset, by=None, note="first")

    def test_leads_to_the_version(self, run):
        services.run_freeze(run)
        run.refresh_from_db()

        assert run.status == RunStatus.FINISHED
        assert (run.version.note, run.version.number) == ("first", 1)
        assert (run.n_done, run.n_total) == (2, 2)

    def test_is_done_once(self, run):
        services.run_freeze(FreezeRun.objects.get(pk=run.pk))
        services.run_freeze(run)

        assert DatasetVersion.objects.count() == 1

    def test_that_is_cancelled_in_the_middle_stops_and_leaves_nothing(
        self, run, monkeypatch
    ):
        monkeypatch.setattr(row_stream, "PIECE_ROWS", 1)
        before = stored_files()
        services.run_freeze(run, on_progress=runs.cancel)
        run.refresh_from_db()

        assert run.status == RunStatus.CANCELLED
        assert not DatasetVersion.objects.exists()
        assert stored_files() == before

    def test_that_is_cancelled_at_the_last_moment_leaves_nothing(
        self, run, monkeypatch
    ):
        before, store = stored_files(), versions.store_version

        def store_and_cancel(*args):
            store(*args)
            runs.cancel(run)

        monkeypatch.setattr(versions, "store_version", store_and_cancel)
        services.run_freeze(run)

        assert not DatasetVersion.objects.exists()
        assert stored_files() == before

    def test_goes_on_after_its_process_was_killed_and_clears_up(self, run, monkeypatch):
        before = stored_files()
        with monkeypatch.context() as patch:
            patch.setattr(versions, "insert_rows", explode)
            patch.setattr(FileSystemStorage, "delete", lambda *_args: None)
            with pytest.raises(PowerCut):
                services.run_freeze(run)
        assert len(stored_files()) == len(before) + 1
        dead = now() - timedelta(seconds=runs.STALE_SECONDS + 1)
        FreezeRun.objects.update(heartbeat_at=dead)

        services.run_freeze(runs.waiting(FreezeRun).get())

        version = DatasetVersion.objects.get()
        kept = Path(str(version.training_file.name)).name
        assert stored_files() == sorted([*before, kept])

    def test_that_kills_its_process_again_and_again_is_given_up(self, run):
        FreezeRun.objects.update(n_attempts=runs.MAX_ATTEMPTS)
        services.run_freeze(run)
        run.refresh_from_db()

        assert (run.status, run.error) == (RunStatus.FAILED, FreezeFailure.STOPPED)

    def test_of_a_dataset_that_is_deleted_meanwhile_just_stops(self, run):
        services.run_freeze(run, on_progress=lambda run: run.dataset.delete())

        assert not DatasetVersion.objects.exists()


class TestAVersionNeverChanges:
    def test_it_cannot_be_saved_again(self):
        version = make_version()
        version.note = "other"

        with pytest.raises(FrozenRowsError, match="frozen"):
            version.save()

    def test_it_cannot_be_updated(self):
        make_version()

        with pytest.raises(FrozenRowsError):
            DatasetVersion.objects.update(note="other")

    def test_its_manifest_cannot_be_updated(self):
        with pytest.raises(FrozenRowsError):
            VersionRow.objects.update(line_number=5)

    def test_with_a_job_it_cannot_be_deleted(self):
        version = make_job().dataset_version

        with pytest.raises(ProtectedError):
            version.delete()

    def test_with_a_version_the_dataset_cannot_be_deleted(self):
        version = make_version()

        with pytest.raises(ProtectedError):
            version.dataset.delete()

    def test_a_mended_example_leaves_it_as_it_was(self):
        example = make_example()
        version = services.freeze(dataset=example.dataset, by=None)
        before = frozen_bytes(version)
        example.messages = [{"role": "assistant", "content": "Other"}]
        services.save_example(example, by=None)

        assert frozen_bytes(version) == before
        assert version.rows.get().content_hash != example.content_hash


def test_the_files_go_with_the_version(django_capture_on_commit_callbacks):
    version = services.freeze(dataset=make_example().dataset, by=None)
    path = Path(version.training_file.path)
    with django_capture_on_commit_callbacks(execute=True):
        version.delete()

    assert not path.exists()


def test_fewer_than_ten_rows_are_a_warning():
    assert make_version(n_training_rows=9).is_below_minimum
    assert not make_version(n_training_rows=10).is_below_minimum
