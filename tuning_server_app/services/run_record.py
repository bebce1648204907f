"""Writes a trainer's reports into the tables, as long as the job is still its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from tuning_server_app import file_store, results
from tuning_server_app.file_store import Draft
from tuning_server_app.models import (
    Checkpoint,
    EventKind,
    EventLevel,
    File,
    FilePurpose,
    JobStatus,
    TunedModel,
    TuningJob,
)
from tuning_server_app.services import exports, run_folder
from tuning_server_app.services.files import store_file
from tuning_server_app.services.tuned_models import delete_model

KEPT_CHECKPOINTS = 3
LOOK_SECONDS = 0.5
BEAT_SECONDS = 5


class ClaimLost(Exception):
    """The job was cancelled, or given to another trainer: stop working on it."""


class RunRecord:
    """The story of one attempt at one job.

    Every write names the claim, so a trainer that was believed dead and wakes up
    changes nothing.
    """

    def __init__(self, job: TuningJob) -> None:
        self.job = job
        self.finished: dict[str, Any] | None = None
        self.failed: dict[str, Any] | None = None
        self.paused: dict[str, Any] | None = None
        self.is_pause_wanted = False
        self._last_step = self._last_step_told()
        self._looked_at = self._beat_at = time.monotonic()

    def keep_alive(self) -> None:
        """Look twice a second whether the job is still ours, and whether its owner
        wants it to pause; beat its heart.

        Raises:
            ClaimLost
        """
        moment = time.monotonic()
        if moment - self._beat_at > BEAT_SECONDS:
            self._beat_at = moment
            with self._while_ours():
                pass
        if moment - self._looked_at > LOOK_SECONDS:
            self._looked_at = moment
            wishes = list(self._ours().values_list("pause_requested_at", flat=True))
            if not wishes:
                raise ClaimLost
            self.is_pause_wanted = wishes != [None]

    def store(self, event: dict[str, Any]) -> None:
        """Write one event of the trainer.

        Raises:
            ClaimLost
        """
        match event.get("type"):
            case "progress":
                with self._while_ours():
                    self.job.events.create(message=event["message"])
            case "warning":
                with self._while_ours():
                    self.job.events.create(
                        message=event["message"], level=EventLevel.WARN
                    )
            case "resolved":
                self._store_resolved(event)
            case "metrics":
                self._store_metrics(event)
            case "checkpoint":
                self._store_checkpoint(event)
            case "finished":
                self.finished = event
            case "failed":
                self.failed = event
            case "paused":
                self.paused = event

    def succeed(self, finished: dict[str, Any]) -> None:
        """End the job with its model.

        Raises:
            ClaimLost
            OSError: the result file found no room.
        """
        name = self.job.model_prefix
        draft = Draft()
        try:
            draft.write(results.result_file(self._told()))
            with transaction.atomic():
                model = self._create_model(name, finished["folder"])
                exports.offer(model)
                self.job.events.create(message=f"New fine-tuned model created: {name}")
                if not self.job.move_to(
                    JobStatus.SUCCEEDED,
                    "The job has successfully completed",
                    fine_tuned_model=name,
                    trained_tokens=finished["trained_tokens"],
                    result_files=[self._store_results(draft).wire_id],
                ):
                    raise ClaimLost
        except BaseException:  # Ctrl-C, too, leaves no file without a row
            draft.discard()
            file_store.remove(draft.blob)
            raise

    def _store_resolved(self, event: dict[str, Any]) -> None:
        values = event["hyperparameters"]
        with self._while_ours(resolved_hyperparameters=values):
            self.job.events.create(
                message=f"Training on {event['n_rows']} examples with"
                f" {event['n_tokens']} tokens: {event['total_steps']} steps in"
                f" {values['n_epochs']} epochs, batch size {values['batch_size']},"
                f" learning rate multiplier {values['learning_rate_multiplier']}"
                f" (times {event['base_learning_rate']:g})",
                data={"base_learning_rate": event["base_learning_rate"]},
            )

    def _store_metrics(self, event: dict[str, Any]) -> None:
        """A step that an earlier attempt told of is not told again: with the same seed
        its numbers are the same."""
        data = {name: value for name, value in event.items() if name != "type"}
        seconds_left = timedelta(seconds=data.pop("estimated_seconds_left"))
        with self._while_ours(estimated_finish_at=now() + seconds_left):
            if data["step"] > self._last_step:
                self._last_step = data["step"]
                self.job.events.create(
                    kind=EventKind.METRICS, message=_sentence(data), data=data
                )

    def _told(self) -> Iterator[dict[str, Any]]:
        """The metrics of all steps, those of earlier attempts included."""
        steps = self.job.events.filter(kind=EventKind.METRICS).order_by("pk")
        for data in steps.values_list("data", flat=True).iterator():
            yield data or {}

    def _last_step_told(self) -> int:
        steps = self.job.events.filter(kind=EventKind.METRICS)
        last = steps.order_by("-pk").values_list("data__step", flat=True).first()
        return last or 0

    def _store_checkpoint(self, event: dict[str, Any]) -> None:
        step = event["step"]
        with self._while_ours():
            if self.job.checkpoints.filter(step_number=step).exists():
                return  # of an earlier attempt
            name = f"{self.job.model_prefix}:ckpt-step-{step}"
            Checkpoint.objects.create(
                job=self.job,
                step_number=step,
                metrics=event["metrics"],
                tuned_model=self._create_model(name, event["folder"]),
            )
            self.job.events.create(message=f"Checkpoint created at step {step}")
            self._drop_old_checkpoints()

    def _drop_old_checkpoints(self) -> None:
        """The weights of the last few epochs are kept, and only theirs."""
        newest_first = self.job.checkpoints.order_by("-step_number")
        for old in newest_first.select_related("tuned_model")[KEPT_CHECKPOINTS:]:
            delete_model(old.tuned_model)

    def _create_model(self, name: str, folder: str) -> TunedModel:
        return TunedModel.objects.create(
            organization=self.job.organization,
            job=self.job,
            name=name,
            base_model=self.job.base_model,
            adapter=f"{run_folder.name_of(self.job)}/{folder}",
        )

    def _store_results(self, draft: Draft) -> File:
        return store_file(
            organization=self.job.organization,
            purpose=FilePurpose.FINE_TUNE_RESULTS,
            filename=results.FILENAME,
            draft=draft,
        )

    def _ours(self) -> QuerySet[TuningJob]:
        return TuningJob.objects.filter(
            pk=self.job.pk, claim=self.job.claim, status=JobStatus.RUNNING
        )

    @contextmanager
    def _while_ours(self, **fields: Any) -> Iterator[None]:
        """One transaction, which holds the job's row from its first statement on."""
        with transaction.atomic():
            if not self._ours().update(heartbeat_at=now(), **fields):
                raise ClaimLost
            yield


def _sentence(data: dict[str, Any]) -> str:
    """In OpenAI's words, which scripts look for."""
    parts = [f"training loss={data['train_loss']:.2f}"]
    if "valid_loss" in data:
        parts.append(f"validation loss={data['valid_loss']:.2f}")
    if "full_valid_loss" in data:
        parts.append(f"full validation loss={data['full_valid_loss']:.2f}")
    return f"Step {data['step']}/{data['total_steps']}: {', '.join(parts)}"
