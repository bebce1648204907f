"""A training that is killed, paused and resumed ends as if nothing had happened."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from django.db.models.signals import post_save

from tests.contract.conftest import BASE, work
from tests.tuning_server_app.factories import chats
from tuning_server_app.models import JobEvent, JobStatus, TunedModel, TuningJob
from tuning_server_app.services import training
from tuning_server_app.services.pausing import pause_job
from tuning_server_app.services.tuned_models import runs_folder
from tuning_server_app.trainer_process import TrainerProcess

pytestmark = pytest.mark.torch

N_EXAMPLES, EPOCHS = 10, 15


@pytest.fixture(autouse=True)
def _tiny_base_only(settings: Any, tiny_base: Any) -> None:
    settings.TUNING_SERVER_BASE_MODELS = {BASE: str(tiny_base)}


@pytest.fixture
def pids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process id of every trainer that the test starts."""
    found: list[int] = []

    class Noted(TrainerProcess):
        def __enter__(self):
            entered = super().__enter__()
            found.append(self._process.pid)
            return entered

    monkeypatch.setattr(training, "TrainerProcess", Noted)
    return found


@pytest.fixture
def at_step() -> Iterator[Callable[[int, Callable[[], object]], None]]:
    """Calls what it is given when the job's event of that step is stored."""
    acts: dict[int, Callable[[], object]] = {}

    def listen(instance: JobEvent, **_kwargs: Any) -> None:
        if instance.kind == "metrics" and instance.data:
            acts.pop(instance.data["step"], int)()

    post_save.connect(listen, sender=JobEvent)
    yield acts.__setitem__
    post_save.disconnect(listen, sender=JobEvent)


def create(client: openai.OpenAI) -> TuningJob:
    file = client.files.create(file=("t.jsonl", chats(N_EXAMPLES)), purpose="fine-tune")
    hyperparameters: Any = {"n_epochs": EPOCHS, "batch_size": 1}
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file.id,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": hyperparameters},
        },
    )
    return TuningJob.objects.get(wire_id=job.id)


def now_is(job: TuningJob) -> JobStatus:
    job.refresh_from_db()
    return JobStatus(job.status)


def answers(client: openai.OpenAI, model: str) -> None:
    question: Any = [{"role": "user", "content": "How much is 3 + 1?"}]
    said = client.chat.completions.create(model=model, messages=question, max_tokens=2)
    assert said.model == model


def all_weights_are_there() -> bool:
    adapters = TunedModel.objects.values_list("adapter", flat=True)
    weights = "adapter_model.safetensors"
    return all((runs_folder() / folder / weights).exists() for folder in adapters)


def test_a_killed_and_paused_training_tells_each_step_once(
    connect: Callable[..., openai.OpenAI],
    pids: list[int],
    at_step: Any,
    inference: Any,
):
    client = connect()
    job = create(client)
    at_step(25, lambda: os.kill(pids[-1], signal.SIGKILL))
    at_step(40, lambda: pause_job(TuningJob.objects.get()))

    work()
    assert now_is(job) == JobStatus.QUEUED  # killed
    work()
    assert now_is(job) == JobStatus.PAUSED
    checkpoints = client.fine_tuning.jobs.checkpoints.list(job.wire_id).data
    assert len(checkpoints) == 3
    assert all_weights_are_there()
    for checkpoint in checkpoints:
        answers(client, checkpoint.fine_tuned_model_checkpoint)
    client.fine_tuning.jobs.resume(job.wire_id)
    work()

    assert now_is(job) == JobStatus.SUCCEEDED
    events = client.fine_tuning.jobs.list_events(job.wire_id, limit=100)
    told: list[Any] = [event.data for event in events if event.type == "metrics"]
    steps = [data["step"] for data in told]
    assert steps[::-1] == list(range(1, N_EXAMPLES * EPOCHS + 1))
    went_on = [event.message for event in events if "Going on from" in event.message]
    assert len(went_on) == 2
    assert (job.n_lost, job.attempts, len(pids)) == (1, 3, 3)
    assert all_weights_are_there()
