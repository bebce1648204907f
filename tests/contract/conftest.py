"""The whole server for the real openai client: web process, trainer, inference."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
from django.conf import settings as site_settings

from finetune_site.celery import RingingTask
from tests.tuning_server_app.factories import make_key, make_organization
from tuning_server_app.base_models import SMOLLM2
from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services import checking, exports, queue, training

BASE = "tiny"
START_SECONDS = 120


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model of random weights, small enough to train in seconds."""
    tiny_model = pytest.importorskip("tests.tuning_server_app.tiny_model")
    folder: Path = tiny_model.make_tiny_model(tmp_path_factory.mktemp("base"))
    return folder


@pytest.fixture(scope="session")
def inference(tiny_base: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real inference process on its unix socket."""
    socket = Path(site_settings.INFERENCE_SOCKET)
    command = [
        *(sys.executable, "-m", "gunicorn", "tuning_server_app.inference.wsgi"),
        *("--bind", f"unix:{socket}", "--worker-class", "gthread", "--threads", "32"),
    ]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "finetune_site.settings",
        # Else the built-in one would first be converted, for half a minute.
        "TUNING_SERVER_BASE_MODELS": ",".join(
            f"{name}={tiny_base}" for name in (SMOLLM2.name, BASE)
        ),
    }
    with subprocess.Popen(command, env=environment) as process:
        give_up_at = time.monotonic() + START_SECONDS
        while not socket.exists():
            assert process.poll() is None, "the inference process died"
            assert time.monotonic() < give_up_at, "the inference process hangs"
            time.sleep(0.1)
        yield process
        process.terminate()


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Celery worker listens here; `work` does what they would."""
    monkeypatch.setattr(RingingTask, "_ring", lambda *_arguments: None)


@pytest.fixture
def secret(live_server: Any) -> str:
    return make_key(make_organization(slug="acme"))[1]


@pytest.fixture
def connect(live_server: Any, secret: str) -> Iterator[Callable[..., openai.OpenAI]]:
    """Makes clients, and closes them before the server goes down."""
    clients: list[openai.OpenAI] = []

    def connect(**options: Any) -> openai.OpenAI:
        clients.append(openai.OpenAI(**client_options(live_server, secret, **options)))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(params=["strict", "loose"])
def client(
    request: pytest.FixtureRequest, connect: Callable[..., openai.OpenAI]
) -> openai.OpenAI:
    return connect(_strict_response_validation=request.param == "strict")


def client_options(live_server: Any, secret: str, **options: Any) -> dict[str, Any]:
    return {
        "base_url": f"{live_server.url}/v1",
        "api_key": secret,
        "max_retries": 0,
        "timeout": 120,
        "_strict_response_validation": True,
        **options,
    }


def in_own_loop(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """The coroutine's result. In another thread: in this one, Playwright's loop runs
    from the first browser test on."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(function())).result()


def work() -> None:
    """What the Celery workers do, here and now: check every file, train every job, pack
    the weights."""
    for job in queue.unchecked_jobs():
        checking.validate_files(job)
    for job in TuningJob.objects.filter(status=JobStatus.QUEUED):
        training.train(job)
    for export in exports.wanted():
        exports.make(export)
