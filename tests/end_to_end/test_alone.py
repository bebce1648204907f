"""A machine with only the tuning server, from `./run` to an answer of a tuned model,
with every process real and a tiny model of random weights."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.end_to_end.site import Site
from tests.tuning_server_app.factories import chats

pytestmark = [pytest.mark.torch, pytest.mark.processes]

RATE = 2e-3
SECONDS_TO_TRAIN = 300
BOX = "SmolLM2-135M-Instruct"  # here, too, or its conversion would take half a minute


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    tiny_model = pytest.importorskip("tests.tuning_server_app.tiny_model")
    base: Path = tiny_model.make_tiny_model(tmp_path_factory.mktemp("base"))
    site = Site(
        tmp_path_factory.mktemp("alone") / "var",
        first_page="/readyz",
        TUNING_SERVER_ONLY="true",
        TUNING_SERVER_BASE_MODELS=f"tiny={base}?learning_rate={RATE},{BOX}={base}",
    )
    yield site
    if site.process.poll() is None:
        site.stop()


@pytest.fixture(scope="module")
def client(alone: Site) -> Iterator[openai.OpenAI]:
    key = alone.manage("tuning_key", "create", "laptop", "--organization", "acme")
    with openai.OpenAI(base_url=f"{alone.url}/v1", api_key=key.strip()) as client:
        yield client


def train(client: openai.OpenAI, alone: Site) -> Any:
    file = client.files.create(file=("t.jsonl", chats(10)), purpose="fine-tune")
    jobs = client.fine_tuning.jobs
    hyperparameters: Any = {"n_epochs": 1, "batch_size": 5}
    job = jobs.create(
        model="tiny",
        training_file=file.id,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": hyperparameters},
        },
    )
    end = time.monotonic() + SECONDS_TO_TRAIN
    while job.finished_at is None:
        assert time.monotonic() < end, alone.output()
        assert alone.process.poll() is None, alone.output()
        time.sleep(0.5)
        job = jobs.retrieve(job.id)
    return job


def test_a_file_becomes_a_model_that_answers(client: openai.OpenAI, alone: Site):
    job = train(client, alone)

    assert job.status == "succeeded", alone.output()
    question: Any = [{"role": "user", "content": "How much is 3 + 1?"}]
    answer = client.chat.completions.create(
        model=job.fine_tuned_model, messages=question, max_tokens=4
    )
    assert answer.model == job.fine_tuned_model == f"ft:tiny:acme::{job.id[-8:]}"
    told = [event.data for event in client.fine_tuning.jobs.list_events(job.id)]
    assert {"base_learning_rate": RATE} in told


def test_ctrl_c_stops_every_process(alone: Site):
    processes = alone.processes()

    alone.stop()

    assert {"broker", "web", "worker", "beat", "trainer", "inference"} == set(processes)
    assert [p for p in processes.values() if Path(f"/proc/{p}").exists()] == []
