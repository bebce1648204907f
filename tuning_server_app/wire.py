"""Rows as the JSON that OpenAI's clients expect, strict ones included."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tuning_server_app.models import (
    Checkpoint,
    CheckpointPermission,
    File,
    JobEvent,
    StoredChat,
    TunedModel,
    TuningJob,
    Upload,
    UploadPart,
)


def unix_seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _unix_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else unix_seconds(moment)


def file(row: File) -> dict[str, Any]:
    said = {
        "id": row.wire_id,
        "object": "file",
        "bytes": row.n_bytes,
        "created_at": unix_seconds(row.created_at),
        "filename": row.filename,
        "purpose": row.purpose,
        "status": row.status,  # deprecated by OpenAI, but clients wait for it
    }
    # A number or nothing: null would be against the schema.
    if row.expires_at is not None:
        said["expires_at"] = unix_seconds(row.expires_at)
    return said


def upload(row: Upload) -> dict[str, Any]:
    return {
        "id": row.wire_id,
        "object": "upload",
        "bytes": row.n_bytes,
        "created_at": unix_seconds(row.created_at),
        "expires_at": unix_seconds(row.expires_at),
        "filename": row.filename,
        "purpose": row.purpose,
        "status": row.status,
        "file": None if row.file is None else file(row.file),
    }


def upload_part(row: UploadPart) -> dict[str, Any]:
    return {
        "id": row.wire_id,
        "object": "upload.part",
        "created_at": unix_seconds(row.created_at),
        "upload_id": row.upload.wire_id,
    }


def job(row: TuningJob) -> dict[str, Any]:
    hyperparameters = row.resolved_hyperparameters or row.hyperparameters
    return {
        "id": row.wire_id,
        "object": "fine_tuning.job",
        "created_at": unix_seconds(row.created_at),
        "finished_at": _unix_or_none(row.finished_at),
        "estimated_finish": _unix_or_none(row.estimated_finish_at),
        "model": row.model,
        "fine_tuned_model": row.fine_tuned_model or None,
        "organization_id": row.organization.slug,
        "status": row.status,
        "training_file": row.training_file,
        "validation_file": row.validation_file or None,
        "result_files": row.result_files,
        "trained_tokens": row.trained_tokens,
        "error": row.error,
        "hyperparameters": hyperparameters,
        "method": {
            "type": row.method,
            row.method: {"hyperparameters": hyperparameters},
        },
        "seed": row.seed,
        "integrations": [],
        "metadata": row.metadata,
        "user_provided_suffix": row.suffix or None,
    }


def event(row: JobEvent) -> dict[str, Any]:
    said = {
        "id": row.wire_id,
        "object": "fine_tuning.job.event",
        "created_at": unix_seconds(row.created_at),
        "level": row.level,
        "message": row.message,
        "type": row.kind,
    }
    return said if row.data is None else {**said, "data": row.data}


def checkpoint(row: Checkpoint) -> dict[str, Any]:
    return {
        "id": row.wire_id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": unix_seconds(row.created_at),
        "fine_tuned_model_checkpoint": row.tuned_model.name,
        "fine_tuning_job_id": row.job.wire_id,
        "step_number": row.step_number,
        "metrics": row.metrics,
    }


def stored_chat(row: StoredChat) -> dict[str, Any]:
    return {**row.completion, "metadata": row.metadata or {}}


def stored_messages(row: StoredChat) -> list[dict[str, Any]]:
    """What was asked, message by message, each with an id for the cursor."""
    return [
        _stored_message(f"{row.wire_id}-{number}", message)
        for number, message in enumerate(row.messages)
    ]


def _stored_message(message_id: str, message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    has_parts = isinstance(content, list)
    return {
        **message,
        "id": message_id,
        "content": None if has_parts else content,
        "content_parts": content if has_parts else None,
        "refusal": message.get("refusal"),
    }


def permission(row: CheckpointPermission) -> dict[str, Any]:
    return {
        "id": row.wire_id,
        "object": "checkpoint.permission",
        "created_at": unix_seconds(row.created_at),
        "project_id": row.project_id,
    }


def tuned_model(row: TunedModel) -> dict[str, Any]:
    return _model(row.name, unix_seconds(row.created_at), row.organization.slug)


def base_model(name: str, created: int) -> dict[str, Any]:
    return _model(name, created, "system")


def alias(name: str, target: str, created: int) -> dict[str, Any]:
    return {**_model(name, created, "system"), "alias_of": target}


def _model(name: str, created: int, owner: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": owner,
        "shutdown_date": None,
    }


def deleted(wire_id: str, kind: str) -> dict[str, Any]:
    return {"id": wire_id, "object": kind, "deleted": True}


def page(data: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    return {
        "object": "list",
        "data": data,
        # Strings, never null: a strict client of the file list refuses null.
        "first_id": data[0]["id"] if data else "",
        "last_id": data[-1]["id"] if data else "",
        "has_more": has_more,
    }
