"""The real client's ways of asking, against the real inference process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel, ConfigDict

from tests.contract.conftest import BASE, client_options, in_own_loop

pytestmark = pytest.mark.torch

Connect = Callable[..., openai.OpenAI]
QUESTIONS: list[Any] = [
    [{"role": "user", "content": f"What is {number} + 1?" * number}]
    for number in range(1, 9)
]


class Unit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["blade", "shield"]
    is_alive: bool


@pytest.fixture(autouse=True)
def _tiny_base_only(settings: Any, tiny_base: Path) -> None:
    settings.TUNING_SERVER_BASE_MODELS = {BASE: str(tiny_base)}


def test_an_answer_is_parsed_into_the_clients_own_class(
    connect: Connect, inference: Any
):
    answer = connect().chat.completions.parse(
        model=BASE, messages=QUESTIONS[0], response_format=Unit, max_tokens=60
    )

    assert isinstance(answer.choices[0].message.parsed, Unit)


def test_the_streaming_helper_tells_the_whole_answer_at_the_end(
    connect: Connect, inference: Any
):
    client = connect()
    asked: Any = {
        "model": BASE,
        "messages": QUESTIONS[0],
        "max_tokens": 60,
        "logprobs": True,
        "top_logprobs": 2,
    }
    whole = client.chat.completions.parse(response_format=Unit, **asked)
    with client.chat.completions.stream(
        response_format=Unit, stream_options={"include_usage": True}, **asked
    ) as stream:
        told = stream.get_final_completion()

    assert told.choices[0].message.content == whole.choices[0].message.content
    assert told.usage == whole.usage
    assert told.choices[0].logprobs is not None
    assert whole.choices[0].logprobs is not None
    assert told.choices[0].logprobs.content == whole.choices[0].logprobs.content


def test_eight_at_once_are_answered_as_one_by_one(
    connect: Connect, live_server: Any, secret: str, inference: Any
):
    client = connect()
    alone = [
        client.chat.completions.create(model=BASE, messages=each, max_tokens=8)
        for each in QUESTIONS
    ]

    async def ask_all() -> list[Any]:
        async with openai.AsyncOpenAI(**client_options(live_server, secret)) as client:
            asked = (
                client.chat.completions.create(model=BASE, messages=each, max_tokens=8)
                for each in QUESTIONS
            )
            return await asyncio.gather(*asked)

    together = in_own_loop(ask_all)
    for one, other in zip(alone, together, strict=True):
        assert one.choices == other.choices
        assert one.usage == other.usage


@pytest.mark.processes
def test_a_killed_inference_process_comes_back(
    connect: Connect, inference: subprocess.Popen[bytes]
):
    client = connect()
    client.chat.completions.create(model=BASE, messages=QUESTIONS[0], max_tokens=1)
    children = Path(f"/proc/{inference.pid}/task/{inference.pid}/children")
    (worker,) = children.read_text().split()
    os.kill(int(worker), signal.SIGKILL)

    assert answered_within(client, 120)
    assert children.read_text().split() != [worker]


def answered_within(client: openai.OpenAI, n_seconds: float) -> bool:
    give_up_at = time.monotonic() + n_seconds
    while time.monotonic() < give_up_at:
        with contextlib.suppress(openai.InternalServerError):
            client.chat.completions.create(
                model=BASE, messages=QUESTIONS[0], max_tokens=1
            )
            return True
        time.sleep(0.2)
    return False
