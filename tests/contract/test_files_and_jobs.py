"""The openai client and our files and jobs: what it sends, and what it makes of it."""

from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.contract.conftest import client_options, in_own_loop, work
from tests.tuning_server_app.factories import chats
from tuning_server_app import services, wire
from tuning_server_app.models import ApiKey, TuningJob

MODEL = "SmolLM2-135M-Instruct"
UPLOAD: Any = {"file": ("chats.jsonl", chats()), "purpose": "fine-tune"}

Connect = Callable[..., openai.OpenAI]


def create(client: openai.OpenAI, **options: Any) -> FineTuningJob:
    file = client.files.create(**UPLOAD)
    return client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, **options)


def test_a_file_goes_up_and_comes_back(client: openai.OpenAI):
    file = client.files.create(**UPLOAD)
    assert client.files.wait_for_processing(file.id).bytes == len(chats())
    assert client.files.content(file.id).content == chats()
    assert client.files.retrieve(file.id) == file


def test_a_file_without_a_name_is_taken(client: openai.OpenAI):
    assert client.files.create(file=chats(), purpose="fine-tune").filename == "upload"


def test_a_deleted_file_is_gone(client: openai.OpenAI):
    file = client.files.create(**UPLOAD)
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_files_are_walked_page_by_page(client: openai.OpenAI):
    ids = [client.files.create(**UPLOAD).id for _ in range(3)]
    walked = client.files.list(limit=1, order="asc", purpose="fine-tune")
    assert [file.id for file in walked] == ids


def test_a_file_expires_after_what_was_said(client: openai.OpenAI):
    file = client.files.create(
        **UPLOAD, expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert file.expires_at is not None


def test_a_job_is_created_as_it_was_asked_for(client: openai.OpenAI):
    job = create(
        client,
        suffix="cards",
        seed=42,
        metadata={"launch_key": "열쇠"},
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 3, "batch_size": "auto"}},
        },
    )
    assert job.status == "validating_files"
    assert (job.seed, job.metadata) == (42, {"launch_key": "열쇠"})
    assert (job.hyperparameters.n_epochs, job.error) == (3, None)
    assert client.fine_tuning.jobs.retrieve(job.id) == job


def test_jobs_are_walked_page_by_page(client: openai.OpenAI):
    ids = [create(client).id for _ in range(3)]
    walked = client.fine_tuning.jobs.list(limit=1)
    assert [job.id for job in walked] == ids[::-1]


def test_jobs_are_found_by_metadata(client: openai.OpenAI):
    marked, bare = create(client, metadata={"launch_key": "a b&c"}), create(client)
    jobs = client.fine_tuning.jobs
    found = jobs.list(metadata={"launch_key": "a b&c"})
    assert [job.id for job in found] == [marked.id]
    without = jobs.list(extra_query={"metadata": "null"})
    assert [job.id for job in without] == [bare.id]


def test_the_pages_that_openais_own_tests_ask_for_are_answered(client: openai.OpenAI):
    job = create(client)
    jobs = client.fine_tuning.jobs
    assert jobs.list(after="after", limit=0).data == []
    assert jobs.list_events(job.id, after="after", limit=0).data == []
    assert jobs.checkpoints.list(job.id, after="after", limit=0).data == []


def test_a_cancel_sends_no_body_and_is_heard(client: openai.OpenAI):
    job = create(client)
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="already ended"):
        client.fine_tuning.jobs.cancel(job.id)


def test_a_bad_file_fails_the_job_with_words(client: openai.OpenAI):
    file = client.files.create(file=("a.jsonl", chats(3)), purpose="fine-tune")
    jobs = client.fine_tuning.jobs
    job = jobs.create(model=MODEL, training_file=file.id)
    work()
    job = jobs.retrieve(job.id)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error.code, job.error.param) == ("invalid_n_examples", "training_file")
    assert next(iter(jobs.list_events(job.id))).level == "error"


def test_an_error_has_its_parts(client: openai.OpenAI):
    with pytest.raises(openai.NotFoundError) as refused:
        client.fine_tuning.jobs.create(model="gpt-9", training_file="file-1")
    error = refused.value
    assert (error.code, error.param) == ("model_not_found", "model")
    assert error.type == "invalid_request_error"
    assert error.request_id is not None
    assert error.request_id.startswith("req_")


def test_a_wrong_key_says_how_to_make_one(connect: Connect):
    with pytest.raises(openai.AuthenticationError, match="tuning_key create"):
        connect(api_key="sk-wrong").models.list()


def test_a_revoked_key_opens_nothing(connect: Connect):
    client = connect()
    client.models.list()
    key = ApiKey.objects.get()
    services.revoke_key(key.name, key.organization.slug)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_a_lost_answer_makes_no_second_job(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    answers = iter([RuntimeError("the answer is lost")])
    real = wire.job

    def lose_the_first(job: TuningJob) -> dict[str, Any]:
        for error in answers:
            raise error
        return real(job)

    client = connect(max_retries=2)
    file = client.files.create(**UPLOAD)
    monkeypatch.setattr(wire, "job", lose_the_first)
    job = client.fine_tuning.jobs.create(model=MODEL, training_file=file.id)
    assert [row.wire_id for row in TuningJob.objects.all()] == [job.id]


def test_an_idempotency_key_makes_one_job(client: openai.OpenAI):
    file = client.files.create(**UPLOAD)
    ids = {
        client.fine_tuning.jobs.create(
            model=MODEL,
            training_file=file.id,
            extra_headers={"Idempotency-Key": "once"},
        ).id
        for _ in range(2)
    }
    assert len(ids) == 1


def test_the_asynchronous_client_does_the_same(live_server: Any, secret: str):
    async def upload_create_cancel() -> str:
        options = client_options(live_server, secret)
        async with openai.AsyncOpenAI(**options) as client:
            file = await client.files.create(**UPLOAD)
            jobs = client.fine_tuning.jobs
            job = await jobs.create(model=MODEL, training_file=file.id)
            events = [event async for event in jobs.list_events(job.id, limit=1)]
            assert len(events) == 2
            return (await jobs.cancel(job.id)).status

    assert in_own_loop(upload_create_cancel) == "cancelled"
