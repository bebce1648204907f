"""A whole training by the asynchronous client: begun by a lenient one, then read to its
end by a strict and a lenient one."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.contract.conftest import BASE, client_options, in_own_loop, work
from tests.tuning_server_app.factories import chats

pytestmark = pytest.mark.torch

QUESTION: Any = [{"role": "user", "content": "How much is 3 + 1?"}]
EPOCHS, STEPS = 3, 6
Client = openai.AsyncOpenAI


@pytest.fixture(autouse=True)
def _tiny_base_only(settings: Any, tiny_base: Path) -> None:
    settings.TUNING_SERVER_BASE_MODELS = {BASE: str(tiny_base)}


def test_the_asynchronous_client_trains_reads_asks_and_deletes(
    live_server: Any, secret: str, inference: None
):
    def connect(*, is_strict: bool) -> Client:
        options = client_options(live_server, secret)
        return Client(**options | {"_strict_response_validation": is_strict})

    async def begin() -> str:
        async with connect(is_strict=False) as client:
            return await begin_training(client)

    async def read_and_delete() -> None:
        async with (
            connect(is_strict=True) as strict,
            connect(is_strict=False) as lenient,
        ):
            model = await read_all(strict, job_id)
            assert await read_all(lenient, job_id) == model
            await delete(lenient, model)

    job_id = in_own_loop(begin)
    work()
    in_own_loop(read_and_delete)


async def begin_training(client: Client) -> str:
    file = await client.files.create(file=("t.jsonl", chats(10)), purpose="fine-tune")
    assert (await client.files.wait_for_processing(file.id)).id == file.id
    hyperparameters: Any = {"n_epochs": EPOCHS, "batch_size": 5}
    job = await client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file.id,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": hyperparameters},
        },
        metadata={"by": "async"},
    )
    assert job.status == "validating_files"
    return job.id


async def read_all(client: Client, job_id: str) -> str:
    """Returns the tuned model's name."""
    jobs = client.fine_tuning.jobs
    assert [job.id async for job in jobs.list(metadata={"by": "async"})] == [job_id]
    job = await jobs.retrieve(job_id)
    assert (job.status, job.hyperparameters.n_epochs) == ("succeeded", EPOCHS)
    await check_events(client, job_id)
    checkpoints = [row async for row in jobs.checkpoints.list(job_id, limit=1)]
    assert [row.step_number for row in checkpoints] == [6, 4, 2]
    table = await client.files.content(job.result_files[0])
    assert len(base64.b64decode(table.content).splitlines()) == 1 + STEPS
    model = str(job.fine_tuned_model)
    await check_answers(
        client, [model, *(row.fine_tuned_model_checkpoint for row in checkpoints)]
    )
    return model


async def check_events(client: Client, job_id: str) -> None:
    """Page by page, as by walking."""
    list_events = client.fine_tuning.jobs.list_events
    walked = [event async for event in list_events(job_id, limit=4)]
    page = await list_events(job_id, limit=4)
    paged = list(page.data)
    while page.has_next_page():
        page = await page.get_next_page()
        paged += page.data
    assert paged == walked
    steps: list[Any] = [event.data for event in walked if event.type == "metrics"]
    assert [data["step"] for data in steps[::-1]] == list(range(1, STEPS + 1))


async def check_answers(client: Client, models: list[str]) -> None:
    """All of them at once; streamed, they say the same."""
    whole = await asyncio.gather(*(ask(client, model) for model in models))
    streamed = await asyncio.gather(*(ask_streaming(client, model) for model in models))
    assert whole == streamed
    assert whole[0] == whole[1]  # the last checkpoint is the model


async def ask(client: Client, model: str) -> str:
    answer = await client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=8
    )
    assert answer.model == model
    return answer.choices[0].message.content or ""


async def ask_streaming(client: Client, model: str) -> str:
    stream = await client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=8, stream=True
    )
    async with stream:
        chunks = [chunk async for chunk in stream]
    assert {chunk.model for chunk in chunks} == {model}
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


async def delete(client: Client, model: str) -> None:
    assert (await client.models.delete(model)).deleted
    with pytest.raises(openai.NotFoundError):
        await ask(client, model)
    names = [each.id async for each in client.models.list()]
    assert model not in names
    assert BASE in names
