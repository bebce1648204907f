"""The server that the other tests lean on really fails, and really counts."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest

from tests.end_to_end.site import free_port
from tests.jobs_app.fake_provider import API_KEY

JOB: dict[str, Any] = {"model": "base-model", "training_file": "file-1"}
LOST = (openai.APIConnectionError, openai.APIStatusError, ValueError)


@contextmanager
def sdk_at(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=base_url, api_key=API_KEY, max_retries=0, timeout=5
    ) as client:
        yield client


@pytest.fixture
def sdk(faulty) -> Iterator[openai.OpenAI]:
    with sdk_at(faulty.base_url) as client:
        yield client


@pytest.mark.parametrize(
    "kind",
    ["accept_then_drop", "accept_then_server_error", "truncated_json", "cut_off"],
)
def test_an_answer_is_lost_though_the_job_was_made(faulty, sdk, kind):
    faulty.fails("create_job", kind)

    with pytest.raises(LOST):
        sdk.fine_tuning.jobs.create(**JOB)

    assert faulty.created["job"] == len(faulty.jobs) == 1


@pytest.mark.parametrize("kind", ["drop", "server_error", "rate_limit", "forbidden"])
def test_a_request_is_refused_and_nothing_made(faulty, sdk, kind):
    faulty.fails("create_job", kind)

    with pytest.raises(LOST):
        sdk.fine_tuning.jobs.create(**JOB)

    assert (faulty.created["job"], faulty.count("create_job")) == (0, 1)


def test_a_new_job_is_listed_later_than_it_is_made(faulty, sdk):
    faulty.unlisted_seconds = 0.2
    job = sdk.fine_tuning.jobs.create(**JOB)

    assert sdk.fine_tuning.jobs.list().data == []
    assert sdk.fine_tuning.jobs.retrieve(job.id).id == job.id
    time.sleep(0.25)
    assert [each.id for each in sdk.fine_tuning.jobs.list()] == [job.id]


def test_a_file_is_uploaded_in_parts(faulty, sdk):
    upload = sdk.uploads.create(
        bytes=7, filename="a.jsonl", mime_type="text/jsonl", purpose="fine-tune"
    )
    parts = [sdk.uploads.parts.create(upload.id, data=d) for d in (b"tail", b"off")]
    done = sdk.uploads.complete(upload.id, part_ids=[parts[1].id, parts[0].id])

    assert faulty.files[done.file.id]["content"] == b"offtail"
    assert faulty.created == {"upload": 1, "part": 2, "file": 1}


def test_a_training_goes_by(faulty, sdk):
    faulty.training_seconds = 0.2
    job = sdk.fine_tuning.jobs.create(**JOB)
    time.sleep(0.25)

    assert sdk.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    assert len(sdk.fine_tuning.jobs.list_events(job.id).data) == 4


@pytest.mark.processes
def test_it_runs_as_a_process_of_its_own():
    port = free_port()
    command = [sys.executable, "-m", "tests.jobs_app.faulty_provider", str(port)]
    process = subprocess.Popen(command)
    steer = httpx2.Client(
        base_url=f"http://127.0.0.1:{port}/control",
        headers={"Authorization": f"Bearer {API_KEY}"},
        transport=httpx2.HTTPTransport(retries=20),
    )
    fault = {"operation": "create_job", "kind": "accept_then_drop"}
    try:
        with steer, sdk_at(f"http://127.0.0.1:{port}/v1") as sdk:
            assert steer.post("/fails", json=fault).status_code == 200
            with pytest.raises(openai.APIConnectionError):
                sdk.fine_tuning.jobs.create(**JOB)
            assert steer.get("/counts").json()["created"] == {"job": 1}
    finally:
        process.kill()
        process.wait()
