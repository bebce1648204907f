"""Rows of the tuning server for tests."""

import io
import json
from itertools import count
from typing import Any

from guarded_calls.signing import new_secret
from tuning_server_app import services
from tuning_server_app.file_store import Draft
from tuning_server_app.models import (
    ApiKey,
    Checkpoint,
    File,
    FilePurpose,
    Organization,
    StoredChat,
    TunedModel,
    TuningJob,
    Upload,
    Webhook,
)
from tuning_server_app.services.files import store_file
from tuning_server_app.services.uploads import begin_upload

BASE = "SmolLM2-135M-Instruct"
_numbers = count(1)


def make_organization(**overrides: Any) -> Organization:
    return Organization.objects.create(
        **{"slug": f"organization-{next(_numbers)}", **overrides}
    )


def make_key(organization: Organization | None = None) -> tuple[ApiKey, str]:
    """A key's row, and its secret."""
    organization = organization or make_organization()
    secret = services.create_key(f"key {next(_numbers)}", organization.slug)
    return ApiKey.objects.latest("pk"), secret


def chat(question: str = "질문?", answer: str = "대답.") -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


def jsonl(*rows: Any) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def chats(n_rows: int = 10) -> bytes:
    rows = [chat(f"How much is {n} + 1?", f"It is {n + 1}.") for n in range(n_rows)]
    return jsonl(*rows)


def preference(question: str = "질문?", **overrides: Any) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": "네, 그렇습니다."}],
        "non_preferred_output": [{"role": "assistant", "content": "몰라."}],
        **overrides,
    }


def preferences(n_rows: int = 10) -> bytes:
    return jsonl(*(preference(f"How much is {n} + 1?") for n in range(n_rows)))


def make_file(
    organization: Organization | None = None,
    content: bytes | None = None,
    **overrides: Any,
) -> File:
    draft = Draft()
    draft.write(chats() if content is None else content)
    return store_file(
        **{
            "organization": organization or make_organization(),
            "purpose": FilePurpose.FINE_TUNE,
            "filename": "chats.jsonl",
            "draft": draft,
            **overrides,
        }
    )


def make_upload(organization: Organization, **overrides: Any) -> Upload:
    upload = begin_upload(
        organization=organization,
        filename="chats.jsonl",
        n_bytes=10,
        file_life_seconds=None,
    )
    Upload.objects.filter(pk=upload.pk).update(**{"status": "pending", **overrides})
    upload.refresh_from_db()
    return upload


def make_job(**overrides: Any) -> TuningJob:
    organization = overrides.pop("organization", None) or make_organization()
    auto = dict.fromkeys(("n_epochs", "batch_size", "learning_rate_multiplier"), "auto")
    return TuningJob.objects.create(
        **{
            "organization": organization,
            "model": BASE,
            "base_model": BASE,
            "training_file": "file-of-nobody",
            "hyperparameters": auto,
            "seed": 7,
            "request_hash": "",
            **overrides,
        }
    )


def make_model(job: TuningJob | None = None, **overrides: Any) -> TunedModel:
    job = job or make_job()
    return TunedModel.objects.create(
        **{
            "organization": job.organization,
            "job": job,
            "name": f"{job.model_prefix}:{next(_numbers)}",
            "base_model": job.base_model,
            "adapter": f"{job.wire_id}/attempt-1/checkpoints/step-1",
            **overrides,
        }
    )


def make_checkpoint(job: TuningJob, step_number: int = 1) -> Checkpoint:
    return Checkpoint.objects.create(
        job=job,
        step_number=step_number,
        metrics={"step": step_number, "train_loss": 0.5},
        tuned_model=make_model(job),
    )


def make_webhook(organization: Organization, url: str, **overrides: Any) -> Webhook:
    webhook = Webhook(
        **{"organization": organization, "name": "deploy-bot", "url": url, **overrides}
    )
    webhook.secret = new_secret()
    webhook.save()
    return webhook


def make_chat(organization: Organization, **overrides: Any) -> StoredChat:
    wire_id = f"chatcmpl-{next(_numbers)}"
    completion = {
        "id": wire_id,
        "object": "chat.completion",
        "created": 1,
        "model": BASE,
        "choices": [],
    }
    return StoredChat.objects.create(
        **{
            "organization": organization,
            "wire_id": wire_id,
            "model": BASE,
            "messages": [{"role": "user", "content": "안녕?"}],
            "completion": completion,
            **overrides,
        }
    )


def error_of(job: TuningJob) -> dict[str, Any]:
    assert job.error is not None
    return job.error


def opened(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)
