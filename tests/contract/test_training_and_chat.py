"""From a file to a model that answers: the real trainer and the real inference process,
with a tiny model of random weights.
"""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from django.core.management import call_command
from openai.types.fine_tuning import FineTuningJob

from tests.contract.conftest import BASE, work
from tests.tuning_server_app.factories import chats

pytestmark = pytest.mark.torch

Connect = Callable[..., openai.OpenAI]
QUESTION: Any = [{"role": "user", "content": "How much is 3 + 1?"}]
EPOCHS = 4


@pytest.fixture(autouse=True)
def _tiny_base_only(settings: Any, tiny_base: Path) -> None:
    settings.TUNING_SERVER_BASE_MODELS = {BASE: str(tiny_base)}


def train(client: openai.OpenAI, model: str = BASE, **options: Any) -> FineTuningJob:
    files = client.files
    training_file = files.create(file=("t.jsonl", chats(10)), purpose="fine-tune")
    validation_file = files.create(file=("v.jsonl", chats(2)), purpose="fine-tune")
    hyperparameters: Any = {"n_epochs": EPOCHS, "batch_size": 5}
    job = client.fine_tuning.jobs.create(
        model=model,
        training_file=training_file.id,
        validation_file=validation_file.id,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": hyperparameters},
        },
        **options,
    )
    work()
    return client.fine_tuning.jobs.retrieve(job.id)


def ask(client: openai.OpenAI, model: str) -> str:
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=8
    )
    assert answer.model == model
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 8
    return answer.choices[0].message.content or ""


def test_a_file_becomes_a_model_that_answers(connect: Connect, inference: None):
    strict = connect()
    job = train(strict, suffix="math")
    for client in (strict, connect(_strict_response_validation=False)):
        check_job(client.fine_tuning.jobs.retrieve(job.id))
        check_events(client, job)
        check_checkpoints(client, job)
        check_results(client, job)
        check_models_answer(client, job)
        check_stream(client, str(job.fine_tuned_model))
    check_model_is_deleted(strict, str(job.fine_tuned_model))


def check_job(job: FineTuningJob) -> None:
    assert (job.status, job.error) == ("succeeded", None)
    assert job.fine_tuned_model == f"ft:{BASE}:acme:math:{job.id[-8:]}"
    assert job.trained_tokens
    assert job.finished_at is not None
    assert job.hyperparameters.n_epochs == EPOCHS
    assert isinstance(job.hyperparameters.learning_rate_multiplier, float)


def check_events(client: openai.OpenAI, job: FineTuningJob) -> None:
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=3))[::-1]
    texts = [event.message for event in events]
    assert texts[0] == f"Created fine-tuning job: {job.id}"
    assert texts[-1] == "The job has successfully completed"
    metrics: list[Any] = [event.data for event in events if event.type == "metrics"]
    assert [data["step"] for data in metrics] == list(range(1, 2 * EPOCHS + 1))
    assert metrics[-1]["full_valid_loss"] > 0
    assert metrics[-1]["train_loss"] < metrics[0]["train_loss"]


def check_checkpoints(client: openai.OpenAI, job: FineTuningJob) -> None:
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=1))
    assert [row.step_number for row in checkpoints] == [8, 6, 4]  # of four epochs
    newest = checkpoints[0]
    assert newest.fine_tuned_model_checkpoint == f"{job.fine_tuned_model}:ckpt-step-8"
    assert newest.metrics.full_valid_loss is not None


def check_results(client: openai.OpenAI, job: FineTuningJob) -> None:
    results = client.files.retrieve(job.result_files[0])
    assert results.purpose == "fine-tune-results"
    table = base64.b64decode(client.files.content(results.id).content).decode()
    assert table.startswith("step,train_loss,train_accuracy,valid_loss")
    assert len(table.splitlines()) == 1 + 2 * EPOCHS


def check_models_answer(client: openai.OpenAI, job: FineTuningJob) -> None:
    names = [model.id for model in client.models.list()]
    assert len(names) == 5  # base, tuned, three checkpoints
    for name in names:
        assert client.models.retrieve(name).id == name
        ask(client, name)
    assert ask(client, names[1]) == ask(client, names[2])  # the last one's weights


def check_stream(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model,
        messages=QUESTION,
        max_tokens=8,
        stream=True,
        stream_options={"include_usage": True},
        store=True,
    )
    *chunks, last = list(stream)
    words = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(words) == ask(client, model)
    assert last.choices == []
    assert last.usage is not None
    kept = client.chat.completions.retrieve(last.id)
    assert kept.choices[0].message.content == "".join(words)
    assert kept.usage == last.usage


def check_model_is_deleted(client: openai.OpenAI, model: str) -> None:
    assert client.models.delete(model).deleted
    with pytest.raises(openai.NotFoundError):
        ask(client, model)
    ask(client, f"{model}:ckpt-step-8")  # it keeps the weights they shared


def test_training_goes_on_from_a_tuned_model(connect: Connect, inference: None):
    client = connect()
    first = train(client)
    second = train(client, model=str(first.fine_tuned_model))
    assert second.status == "succeeded"
    assert second.model == first.fine_tuned_model
    losses = [first_loss(client, job.id) for job in (first, second)]
    assert losses[1] < losses[0]


def first_loss(client: openai.OpenAI, job_id: str) -> float:
    events = list(client.fine_tuning.jobs.list_events(job_id))
    data: Any = next(e.data for e in reversed(events) if e.type == "metrics")
    return float(data["train_loss"])


def test_a_too_long_example_is_cut_as_at_openai_but_not_in_silence(connect: Connect):
    client = connect()
    rows = chats(10).replace(b"It is 4.", b"It is " + b"4 " * 100_000)
    file = client.files.create(file=("t.jsonl", rows), purpose="fine-tune")
    hyperparameters: Any = {"n_epochs": 1, "batch_size": 10}
    job = client.fine_tuning.jobs.create(
        model=BASE, training_file=file.id, hyperparameters=hyperparameters
    )
    work()
    assert client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    texts = [each.message for each in client.fine_tuning.jobs.list_events(job.id)]
    cut = f"longer than the 256 tokens that {BASE} reads: 4. They are cut at their end"
    assert any(cut in text for text in texts)
    assert any("1 of the 10 examples of the training_file" in text for text in texts)


def test_what_the_inference_process_refuses_reaches_the_client(
    connect: Connect, inference: None
):
    with pytest.raises(openai.BadRequestError) as refused:
        connect().chat.completions.create(model=BASE, messages=QUESTION, temperature=9)
    assert refused.value.param == "temperature"


def test_the_shell_asks_the_same_model(connect: Connect, inference: None):
    printed = io.StringIO()
    call_command("ask", BASE, QUESTION[0]["content"], stdout=printed)
    assert printed.getvalue().strip()
