"""How a trainer's reports become events, checkpoints and a model."""

import base64
from typing import Any

import pytest

from tests.tuning_server_app.factories import make_job, make_organization
from tuning_server_app import file_store
from tuning_server_app.models import (
    Export,
    File,
    JobStatus,
    TunedModel,
    TuningJob,
)
from tuning_server_app.services import run_record
from tuning_server_app.services.jobs import cancel_job
from tuning_server_app.services.pausing import pause_job
from tuning_server_app.services.run_record import ClaimLost, RunRecord
from tuning_server_app.services.tuned_models import runs_folder

pytestmark = pytest.mark.django_db

RESOLVED = {
    "type": "resolved",
    "hyperparameters": {
        "n_epochs": 8,
        "batch_size": 4,
        "learning_rate_multiplier": 1.0,
    },
    "base_learning_rate": 0.0001,
    "n_rows": 15,
    "n_tokens": 3000,
    "total_steps": 32,
}
FINISHED = {
    "type": "finished",
    "trained_tokens": 24_000,
    "folder": "checkpoints/step-32",
}


def metrics(step: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "metrics",
        "step": step,
        "total_steps": 32,
        "epoch": step / 4,
        "train_loss": 0.154,
        "train_mean_token_accuracy": 0.9,
        "learning_rate": 0.001,
        "seconds": 2.5,
        "estimated_seconds_left": 60.0,
        **more,
    }


def checkpoint(step: int) -> dict[str, Any]:
    return {
        "type": "checkpoint",
        "step": step,
        "epoch": step // 4,
        "folder": f"checkpoints/step-{step}",
        "metrics": {"step": step, "train_loss": 0.1},
    }


@pytest.fixture
def record() -> RunRecord:
    return RunRecord(
        make_job(
            organization=make_organization(slug="acme"),
            wire_id="ftjob-abcdefgh",
            status="running",
            claim="0" * 32,
            attempts=1,
            suffix="cards",
        )
    )


def test_resolved_hyperparameters_take_the_place_of_auto(record: RunRecord):
    record.store(RESOLVED)
    job = TuningJob.objects.get()
    assert job.resolved_hyperparameters == RESOLVED["hyperparameters"]
    assert job.hyperparameters["n_epochs"] == "auto"  # for the next attempt


def test_what_the_multiplier_multiplies_is_told(record: RunRecord):
    record.store(RESOLVED)
    event = record.job.events.get()
    assert event.message.endswith("learning rate multiplier 1.0 (times 0.0001)")
    assert event.data == {"base_learning_rate": 0.0001}


def test_a_step_is_an_event_with_numbers_and_openais_words(record: RunRecord):
    record.store(metrics(valid_loss=0.271, full_valid_loss=0.4))
    event = record.job.events.get()
    assert event.kind == "metrics"
    assert event.message == (
        "Step 1/32: training loss=0.15, validation loss=0.27, full validation loss=0.40"
    )
    assert event.data == {
        name: value
        for name, value in metrics(valid_loss=0.271, full_valid_loss=0.4).items()
        if name not in ("type", "estimated_seconds_left")
    }
    assert TuningJob.objects.get().estimated_finish_at is not None


def test_of_the_checkpoints_the_last_three_stay(record: RunRecord):
    for step in (4, 8, 12, 16):
        record.store(checkpoint(step))
    rows = record.job.checkpoints.order_by("step_number")
    assert [row.step_number for row in rows] == [8, 12, 16]
    base = "ft:SmolLM2-135M-Instruct:acme:cards:abcdefgh"
    assert rows[0].tuned_model.name == f"{base}:ckpt-step-8"
    assert TunedModel.objects.count() == 3


def test_the_weights_of_a_checkpoint_go_with_it(
    record: RunRecord, django_capture_on_commit_callbacks: Any
):
    folder = runs_folder() / record.job.wire_id / "attempt-1" / "checkpoints"
    with django_capture_on_commit_callbacks(execute=True):
        for step in (4, 8, 12, 16):
            (folder / f"step-{step}").mkdir(parents=True)
            record.store(checkpoint(step))
    assert sorted(path.name for path in folder.iterdir()) == [
        "step-12",
        "step-16",
        "step-8",
    ]


def test_what_an_earlier_attempt_told_is_not_told_again(record: RunRecord):
    for step in (1, 2):
        record.store(metrics(step))
    record.store(checkpoint(2))
    TuningJob.objects.update(attempts=2)
    second = RunRecord(TuningJob.objects.get())
    second.store(metrics(2, train_loss=0.5))
    second.store(checkpoint(2))
    second.store(metrics(3))
    steps = record.job.events.filter(kind="metrics").order_by("pk")
    told = list(steps.values_list("data__step", "data__train_loss"))
    assert told == [(1, 0.154), (2, 0.154), (3, 0.154)]
    adapter = TunedModel.objects.get().adapter
    assert adapter == "ftjob-abcdefgh/attempt-1/checkpoints/step-2"


def test_the_table_has_the_steps_of_all_attempts(record: RunRecord):
    record.store(metrics(1))
    second = RunRecord(TuningJob.objects.get())
    second.store(metrics(2))
    second.succeed(FINISHED)
    results = File.objects.get(wire_id=TuningJob.objects.get().result_files[0])
    table = base64.b64decode(file_store.path_of(results.blob).read_bytes()).decode()
    assert [line.split(",")[0] for line in table.splitlines()] == ["step", "1", "2"]


def test_a_wish_to_pause_is_noticed(record: RunRecord, monkeypatch: Any):
    monkeypatch.setattr(run_record, "LOOK_SECONDS", -1)
    record.keep_alive()
    assert not record.is_pause_wanted
    pause_job(TuningJob.objects.get())
    record.keep_alive()
    assert record.is_pause_wanted


def test_a_suffix_is_made_fit_for_a_name(record: RunRecord):
    record.job.suffix = "카드 게임: v1/a"
    assert record.job.model_prefix.split(":")[3] == "카드-게임-v1-a"


def test_success_leaves_a_model_and_a_table(record: RunRecord):
    record.store(metrics(1))
    record.store(metrics(2, valid_loss=0.5))
    record.succeed(FINISHED)
    job = TuningJob.objects.get()
    assert job.status == JobStatus.SUCCEEDED
    assert job.trained_tokens == 24_000
    assert job.fine_tuned_model == "ft:SmolLM2-135M-Instruct:acme:cards:abcdefgh"
    assert TunedModel.objects.get().adapter == (
        "ftjob-abcdefgh/attempt-1/checkpoints/step-32"
    )
    results = File.objects.get(wire_id=job.result_files[0])
    table = base64.b64decode(file_store.path_of(results.blob).read_bytes()).decode()
    assert table.splitlines()[0].startswith("step,train_loss,train_accuracy,valid_loss")
    assert table.splitlines()[2] == "2,0.154,0.9,0.5,,,"
    messages = [event.message for event in job.events.order_by("pk")]
    assert messages[-2:] == [
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    ]


@pytest.mark.parametrize(
    "event", [{"type": "progress", "message": "x"}, RESOLVED, metrics(), checkpoint(4)]
)
def test_after_a_cancel_nothing_is_written(record: RunRecord, event: dict[str, Any]):
    cancel_job(TuningJob.objects.get())
    with pytest.raises(ClaimLost):
        record.store(event)
    assert [row.message for row in record.job.events.all()] == ["The job was cancelled"]
    assert not TunedModel.objects.exists()


def test_a_cancel_at_the_last_moment_leaves_no_model(record: RunRecord):
    cancel_job(TuningJob.objects.get())
    with pytest.raises(ClaimLost):
        record.succeed(FINISHED)
    assert not TunedModel.objects.exists()
    assert not File.objects.exists()
    assert list(file_store.folder().iterdir()) == []


def test_who_lost_its_claim_to_another_trainer_writes_nothing(record: RunRecord):
    TuningJob.objects.update(claim="1" * 32)
    with pytest.raises(ClaimLost):
        record.store(metrics())
    assert not record.job.events.exists()


def test_a_checkpoint_is_stored_as_a_whole_or_not_at_all(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(record, "_drop_old_checkpoints", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        record.store(checkpoint(4))
    assert not TunedModel.objects.exists()


def test_the_heart_beats_while_the_trainer_is_silent(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_record, "BEAT_SECONDS", -1)
    record.keep_alive()
    assert TuningJob.objects.get().heartbeat_at is not None


def test_a_cancel_is_noticed_between_two_beats(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_record, "LOOK_SECONDS", -1)
    cancel_job(TuningJob.objects.get())
    with pytest.raises(ClaimLost):
        record.keep_alive()


def test_progress_and_warnings_are_events(record: RunRecord):
    record.store({"type": "progress", "message": "Starting"})
    record.store({"type": "warning", "message": "Little memory"})
    events = record.job.events.order_by("pk").values_list("message", "level")
    assert list(events) == [("Starting", "info"), ("Little memory", "warn")]


def test_a_checkpoint_is_told_of(record: RunRecord):
    record.store(checkpoint(4))
    assert record.job.events.get().message == "Checkpoint created at step 4"


def test_the_weights_of_a_new_model_are_offered(record: RunRecord):
    record.succeed(FINISHED)
    kinds = Export.objects.order_by("kind").values_list("kind", flat=True)
    assert list(kinds) == ["adapter", "merged"]


def test_a_success_that_cannot_be_recorded_leaves_nothing_behind(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run_record.exports, "offer", lambda _model: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        record.succeed(FINISHED)
    assert not TunedModel.objects.exists()
    assert list(file_store.folder().iterdir()) == []


def test_the_table_holds_steps_alone(record: RunRecord):
    record.store(RESOLVED)
    record.store(metrics(1))
    record.succeed(FINISHED)
    results = File.objects.get(wire_id=TuningJob.objects.get().result_files[0])
    table = base64.b64decode(file_store.path_of(results.blob).read_bytes()).decode()
    assert [line.split(",")[0] for line in table.splitlines()] == ["step", "1"]


def test_the_heart_of_another_job_does_not_beat(record: RunRecord):
    other = make_job(status="running", claim="0" * 32)
    record.store({"type": "progress", "message": "Starting"})
    other.refresh_from_db()
    assert other.heartbeat_at is None
