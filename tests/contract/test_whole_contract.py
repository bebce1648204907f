"""The openai client and the rest of the contract: uploads in parts, pause and resume,
permissions, graders, kept chats; strict and loose, and once without waiting.
"""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import openai
import pytest

from tests.contract.conftest import client_options, in_own_loop
from tests.tuning_server_app.factories import (
    BASE,
    chats,
    make_chat,
    make_checkpoint,
    make_job,
    make_key,
    make_organization,
    preferences,
)
from tuning_server_app.models import (
    FilePurpose,
    JobStatus,
    Organization,
    TuningJob,
)
from tuning_server_app.services.checking import validate_files
from tuning_server_app.services.pausing import stand_still

Connect = Callable[..., openai.OpenAI]
CHECK: Any = {
    "type": "string_check",
    "name": "right",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
ALIKE: Any = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "rouge_l",
}


@pytest.fixture
def acme(client: openai.OpenAI) -> Organization:
    return Organization.objects.get(slug="acme")


def test_a_file_goes_up_in_chunks_and_comes_back(client: openai.OpenAI):
    content = chats(200)
    upload = client.uploads.upload_file_chunked(
        file=content,
        filename="chats.jsonl",
        bytes=len(content),
        mime_type="application/jsonl",
        purpose="fine-tune",
        part_size=len(content) // 3,
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
    )
    assert upload.status == "completed"
    assert upload.file is not None
    assert client.files.content(upload.file.id).content == content


def test_an_upload_is_cancelled(client: openai.OpenAI):
    upload = client.uploads.create(
        bytes=10, filename="a", mime_type="text/plain", purpose="fine-tune"
    )
    client.uploads.parts.create(upload.id, data=io.BytesIO(b"half"))
    assert client.uploads.cancel(upload.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="is cancelled"):
        client.uploads.parts.create(upload.id, data=b"other")


def test_a_job_for_preferences_is_created_and_checked(client: openai.OpenAI):
    file = client.files.create(file=("p.jsonl", preferences()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file.id,
        method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}},
    )
    assert job.method is not None
    assert job.method.dpo is not None
    assert job.method.dpo.hyperparameters is not None
    assert job.method.dpo.hyperparameters.beta == 0.2
    validate_files(TuningJob.objects.get())
    assert client.fine_tuning.jobs.retrieve(job.id).status == "queued"


def test_a_job_is_paused_by_its_trainer_and_resumed(connect: Connect):
    """Loose: the client's own list of states has no `paused`, so a strict one raises
    at OpenAI's answer, too."""
    client = connect(_strict_response_validation=False)
    acme = Organization.objects.get(slug="acme")
    job = make_job(organization=acme, status=JobStatus.RUNNING, claim="0" * 32)
    jobs = client.fine_tuning.jobs
    assert jobs.pause(job.wire_id).status == "running"  # until it has saved
    assert stand_still(TuningJob.objects.get())
    assert str(jobs.retrieve(job.wire_id).status) == "paused"
    assert jobs.resume(job.wire_id).status == "queued"
    with pytest.raises(openai.BadRequestError, match="cannot be resumed"):
        jobs.resume(job.wire_id)


def test_a_checkpoint_is_lent_and_taken_back(
    client: openai.OpenAI, acme: Organization, connect: Connect
):
    name = make_checkpoint(make_job(organization=acme)).tuned_model.name
    friend = connect(api_key=make_key(make_organization(slug="friends"))[1])
    permissions = client.fine_tuning.checkpoints.permissions
    created = list(permissions.create(name, project_ids=["friends", "others"]))
    assert [each.project_id for each in created] == ["friends", "others"]
    assert friend.models.retrieve(name).owned_by == "acme"
    walked = permissions.list(name, limit=1, order="ascending")
    assert [each.id for each in walked] == [each.id for each in created]
    deleted = permissions.delete(created[0].id, fine_tuned_model_checkpoint=name)
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError):
        friend.models.retrieve(name)


def test_graders_are_checked_and_run(client: openai.OpenAI):
    graders = client.fine_tuning.alpha.graders
    assert graders.validate(grader=CHECK).grader is not None
    graded = graders.run(grader=CHECK, model_sample="20", item={"answer": "20"})
    assert (graded.reward, graded.metadata.errors.other_error) == (1, False)
    multi: Any = {
        "type": "multi",
        "name": "all",
        "graders": {"right": CHECK, "alike": ALIKE},
        "calculate_output": "(right + alike) / 2",
    }
    graded = graders.run(grader=multi, model_sample="20", item={"answer": "It is 20"})
    assert graded.sub_rewards == {"right": 0, "alike": 0.5}
    assert graded.reward == 0.25
    python: Any = {"type": "python", "name": "p", "source": "def grade(s, i): pass"}
    with pytest.raises(openai.BadRequestError, match="foreign code"):
        graders.validate(grader=python)


def test_kept_chats_are_walked_changed_and_deleted(
    client: openai.OpenAI, acme: Organization
):
    ids = [make_chat(acme, metadata={"case": "1"}).wire_id for _ in range(3)]
    make_chat(acme)
    completions = client.chat.completions
    walked = completions.list(limit=1, metadata={"case": "1"})
    assert [chat.id for chat in walked] == ids
    updated = completions.update(ids[0], metadata={"case": "2"})
    assert updated.id == ids[0]
    assert completions.retrieve(ids[0]) == updated
    assert completions.delete(ids[0]).deleted
    with pytest.raises(openai.NotFoundError):
        completions.retrieve(ids[0])


def test_the_messages_of_a_kept_chat_are_walked(connect: Connect):
    """Loose: the client believes that the assistant said all of them."""
    client = connect(_strict_response_validation=False)
    messages = [{"role": "user", "content": text} for text in ("하나", "둘", "셋")]
    acme = Organization.objects.get(slug="acme")
    chat = make_chat(acme, messages=messages).wire_id
    walked = client.chat.completions.messages.list(chat, limit=2)
    assert [message.content for message in walked] == ["하나", "둘", "셋"]


def test_results_and_training_files_are_listed_apart(
    client: openai.OpenAI, acme: Organization
):
    client.files.create(file=chats(), purpose="fine-tune")
    assert list(client.files.list(purpose=FilePurpose.FINE_TUNE_RESULTS)) == []
    assert len(list(client.files.list(purpose="fine-tune"))) == 1


def test_the_asynchronous_client_does_all_of_it(live_server: Any, secret: str):
    acme = Organization.objects.get(slug="acme")
    name = make_checkpoint(make_job(organization=acme)).tuned_model.name
    chat = make_chat(acme).wire_id
    content = chats(20)

    async def walk() -> None:
        options = client_options(live_server, secret)
        async with openai.AsyncOpenAI(**options) as client:
            upload = await client.uploads.upload_file_chunked(
                file=content,
                filename="chats.jsonl",
                bytes=len(content),
                mime_type="application/jsonl",
                purpose="fine-tune",
            )
            assert upload.file is not None
            jobs = client.fine_tuning.jobs
            job = await jobs.create(model=BASE, training_file=upload.file.id)
            assert [each.id async for each in jobs.list(limit=1)][0] == job.id
            await jobs.cancel(job.id)
            permissions = client.fine_tuning.checkpoints.permissions
            lent = [p async for p in permissions.create(name, project_ids=["friends"])]
            await permissions.delete(lent[0].id, fine_tuned_model_checkpoint=name)
            graders = client.fine_tuning.alpha.graders
            graded = await graders.run(
                grader=CHECK, model_sample="a", item={"answer": "a"}
            )
            assert graded.reward == 1
            kept = [each async for each in client.chat.completions.list()]
            assert [each.id for each in kept] == [chat]
            assert (await client.models.delete(name)).deleted

    in_own_loop(walk)
