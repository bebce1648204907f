"""Provider's objects turned into ours; the only place that knows their field names.

Providers send nulls, empty objects, new words and broken numbers where the contract
has none. What cannot be understood becomes "not given"; only an id is indispensable.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.utils.timezone import now
from pydantic import BaseModel

from jobs_app.kinds import STATUS_WORDS
from jobs_app.models import JobStatus
from jobs_app.providers.plain import plain_json, plain_text

LEVELS = {"info", "warn", "error"}
LAUNCH_KEY = "launch_key"  # of the metadata, which names the job of ours
MAX_ID_LENGTH = 200
MAX_IDS = 10
MAX_NAME_LENGTH = 300


class Unintelligible(Exception):
    """The answer lacks what nothing can be done without."""


@dataclass(frozen=True)
class RemoteJob:
    """A fine-tuning job as its provider sees it."""

    id: str
    status: JobStatus | None  # None: a word we do not know
    status_word: str = ""
    fine_tuned_model: str = ""
    trained_tokens: int | None = None
    estimated_finish_at: datetime | None = None
    finished_at: datetime | None = None
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)
    result_files: list[str] = field(default_factory=list)
    method: str = ""  # empty where it does not say
    request_id: str = ""  # of the answer that said so
    # What it was made of, by which it is recognised; empty where it does not say.
    created_at: datetime | None = None
    base_model: str = ""
    training_file: str = ""
    suffix: str = ""
    launch_key: str = ""


@dataclass(frozen=True)
class StoredFile:
    """A file as its provider lists it."""

    id: str
    name: str
    n_bytes: int | None
    purpose: str
    status: str
    created_at: datetime | None


@dataclass(frozen=True)
class Upload:
    """A file in the making, sent in parts; it ends by itself at `expires_at`."""

    id: str
    expires_at: datetime | None
    file_id: str = ""


@dataclass(frozen=True)
class JobsPage:
    """Some of a provider's jobs, newest first; more of them behind `last_id`."""

    jobs: list[RemoteJob]
    has_more: bool
    last_id: str


@dataclass(frozen=True)
class RemoteModel:
    """A model as its provider lists it."""

    name: str
    shutdown_date: date | None


@dataclass(frozen=True)
class RemoteEvent:
    """One line of the provider's log."""

    id: str
    created_at: datetime
    level: str
    type: str
    message: str
    data: dict[str, Any]


@dataclass(frozen=True)
class RemoteCheckpoint:
    """Weights that the provider saved on the way."""

    id: str
    name: str
    step_number: int
    metrics: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Reply:
    """What a model answered."""

    text: str
    completion_tokens: int | None


def fields_of(answer: Any) -> dict[str, Any]:
    """The fields of an SDK object, unknown ones too, whatever is in them."""
    if isinstance(answer, BaseModel):
        # Not model_dump: that warns about every value of an unexpected type.
        return {**answer.__dict__, **(answer.model_extra or {})}
    return answer if isinstance(answer, dict) else {}


def job_of(
    answer: Any, status_words: Mapping[str, str] = STATUS_WORDS, request_id: str = ""
) -> RemoteJob:
    given = fields_of(answer)
    word = plain_text(given.get("status"), 40)
    known = status_words.get(word.lower())
    return RemoteJob(
        id=id_of(given),
        status=JobStatus(known) if known else None,
        status_word=word,
        fine_tuned_model=_name_of(given.get("fine_tuned_model")),
        trained_tokens=_count(given.get("trained_tokens")),
        estimated_finish_at=_moment(given.get("estimated_finish")),
        finished_at=_moment(given.get("finished_at")),
        hyperparameters=_hyperparameters_of(given),
        error=_error_of(given.get("error")),
        result_files=_ids_of(given.get("result_files")),
        method=plain_text(fields_of(given.get("method")).get("type"), 40),
        request_id=request_id,
        created_at=_moment(given.get("created_at")),
        base_model=_name_of(given.get("model")),
        training_file=_id_or_empty({"id": given.get("training_file")}),
        suffix=_suffix_of(given),
        launch_key=plain_text(fields_of(given.get("metadata")).get(LAUNCH_KEY), 100),
    )


def jobs_of(
    answer: Any, status_words: Mapping[str, str] = STATUS_WORDS, request_id: str = ""
) -> JobsPage:
    """A page of a list; an item that nobody could ask about again is passed over."""
    given = fields_of(answer)
    items = given.get("data")
    if not isinstance(items, list):
        raise Unintelligible("no list")
    usable = [item for item in items if _id_or_empty(fields_of(item))]
    jobs = [job_of(item, status_words, request_id) for item in usable]
    is_last = given.get("has_more") is False or not jobs
    return JobsPage(jobs, has_more=not is_last, last_id=jobs[-1].id if jobs else "")


def _suffix_of(given: dict[str, Any]) -> str:
    """Where servers tell it at all, they use one of two names."""
    suffix = given.get("user_provided_suffix") or given.get("suffix")
    return plain_text(suffix, MAX_ID_LENGTH)


def file_of(answer: Any) -> StoredFile:
    given = fields_of(answer)
    return StoredFile(
        id=id_of(given),
        name=plain_text(given.get("filename"), MAX_NAME_LENGTH),
        n_bytes=_count(given.get("bytes")),
        purpose=plain_text(given.get("purpose"), 40),
        # Newer servers leave the deprecated status out: then it is ready.
        status=plain_text(given.get("status"), 40) or "processed",
        created_at=_moment(given.get("created_at")),
    )


def upload_of(answer: Any) -> Upload:
    given = fields_of(answer)
    file_id = _id_or_empty(fields_of(given.get("file")))
    return Upload(id_of(given), _moment(given.get("expires_at")), file_id)


def event_of(answer: Any) -> RemoteEvent:
    given = fields_of(answer)
    message = plain_text(given.get("message"), 4000)
    event_type = plain_text(given.get("type") or "message", 40)
    level = plain_text(given.get("level"), 10)
    data = plain_json(_plain_dict(given.get("data")))
    created_at = _moment(given.get("created_at")) or now()
    return RemoteEvent(
        id=_id_or_empty(given) or _made_up_id(created_at, event_type, message, data),
        created_at=created_at,
        level=level if level in LEVELS else "info",
        type=event_type,
        message=message,
        data=data,
    )


def checkpoint_of(answer: Any) -> RemoteCheckpoint | None:
    """None if the provider left out what makes it usable: a name, or a step."""
    given = fields_of(answer)
    name = _name_of(given.get("fine_tuned_model_checkpoint"))
    step = _count(given.get("step_number"))
    if not name or step is None or step >= 2**31 or not _id_or_empty(given):
        return None
    return RemoteCheckpoint(
        id=id_of(given),
        name=name,
        step_number=step,
        metrics=plain_json(_plain_dict(given.get("metrics"))),
        created_at=_moment(given.get("created_at")) or now(),
    )


def reply_of(answer: Any) -> Reply:
    choices = fields_of(answer).get("choices")
    if not choices:
        raise Unintelligible("no choices")
    message = fields_of(fields_of(choices[0]).get("message"))
    usage = fields_of(fields_of(answer).get("usage"))
    text = message.get("content") or message.get("refusal")
    return Reply(plain_text(text, 100_000), _count(usage.get("completion_tokens")))


def model_of(answer: Any) -> RemoteModel:
    given = fields_of(answer)
    return RemoteModel(id_of(given), _day(given.get("shutdown_date")))


def id_of(answer: Any) -> str:
    """The object's id. Raises Unintelligible if it has none."""
    if not (found := _id_or_empty(fields_of(answer))):
        raise Unintelligible("no id")
    return found


def _id_or_empty(given: dict[str, Any]) -> str:
    found = given.get("id")
    is_fine = isinstance(found, str) and 0 < len(found) <= MAX_ID_LENGTH
    return plain_text(found, MAX_ID_LENGTH) if is_fine else ""


def _name_of(value: Any) -> str:
    """A model's name; a cut one would be another name, so a long one is none."""
    is_fine = isinstance(value, str) and len(value) <= MAX_NAME_LENGTH
    return plain_text(value, MAX_NAME_LENGTH) if is_fine else ""


def _plain_dict(value: Any) -> dict[str, Any]:
    """A mapping inside an SDK object; what was not given is left out."""
    return {k: v for k, v in fields_of(value).items() if v is not None}


def _hyperparameters_of(given: dict[str, Any]) -> dict[str, Any]:
    """What the provider resolved `auto` to: below `method`, or at the old place."""
    method = fields_of(given.get("method"))
    supervised = fields_of(method.get("supervised"))
    old_place = _plain_dict(given.get("hyperparameters"))
    return plain_json(old_place | _plain_dict(supervised.get("hyperparameters")))


def _error_of(value: Any) -> dict[str, str]:
    given = {"message": value} if isinstance(value, str) else _plain_dict(value)
    kept = {"code": 100, "message": 2000, "param": 100}
    return {k: plain_text(given[k], n) for k, n in kept.items() if given.get(k)}


def _ids_of(value: Any) -> list[str]:
    """Ids in a list; some servers send the objects that have them."""
    items = value[:MAX_IDS] if isinstance(value, list) else []
    given = (item if isinstance(item, str) else fields_of(item) for item in items)
    found = [_id_or_empty(g if isinstance(g, dict) else {"id": g}) for g in given]
    return [each for each in found if each]


def _count(value: Any) -> int | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 2**63 else None


def _moment(unix_seconds: Any) -> datetime | None:
    seconds = _count(unix_seconds)
    # 0 stands for "never", and 2**33 is the year 2242: milliseconds by mistake.
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < 2**33 else None


def _day(value: Any) -> date | None:
    """A day as YYYY-MM-DD, with or without a time; or as Unix seconds."""
    moment = _moment(value)
    if moment is not None:
        return moment.date()
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _made_up_id(*parts: Any) -> str:
    return "made-up-" + hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
