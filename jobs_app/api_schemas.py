"""The REST API's words: what goes in, what comes out."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from jobs_app.advice import what_to_do
from jobs_app.decisions import Decision
from jobs_app.models import Checkpoint, FineTuningJob, JobEvent
from jobs_app.services.model_ends import shutdown_of

# PostgreSQL has no text with a NUL in it, and would answer with an exception.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]


class LaunchIn(Schema):
    """Which frozen version to train on, where, and how. Give `version` or `dataset`."""

    model_config = ConfigDict(extra="forbid")

    dataset: Text | None = Field(
        None, description="A dataset's name; its newest version is used."
    )
    version: int | None = Field(None, description="A dataset version's id.")
    team: Text | None = Field(
        None, description="A team's short name, if you are in several."
    )
    provider: Text | int | None = Field(
        None, description="A provider's name or id; by default the team's first."
    )
    base_model: Text | None = Field(
        None, description="By default the provider's default base model."
    )
    hyperparameters: dict[str, Any] = Field(
        default_factory=dict,
        description="n_epochs, batch_size, learning_rate_multiplier: number or “auto”.",
    )
    suffix: Text = Field("", description="Becomes part of the tuned model's name.")
    seed: int | None = None
    launch_key: UUID | None = Field(
        None,
        description="Send the same one again and you get the same job, not a second "
        "one. The header Idempotency-Key does the same with any text.",
    )
    scheduled_for: AwareDatetime | None = Field(
        None, description="When to launch it; by default at once."
    )


class DecisionIn(Schema):
    model_config = ConfigDict(extra="forbid")

    decision: Decision = Field(
        description="take: follow the provider's job `remote_id`; again: have it "
        "created once more; look: ask the provider's list once more."
    )
    remote_id: Text = ""


class JobOut(Schema):
    id: int
    status: str
    team: str
    dataset: str
    version: int
    version_id: int
    training_sha256: str
    provider: str
    base_model: str
    fine_tuned_model: str | None
    suffix: str
    seed: int | None
    hyperparameters: dict[str, Any]
    resolved_hyperparameters: dict[str, Any]
    estimated_epochs: int | None = Field(
        description="What the estimate counts with; a guess if n_epochs is “auto”."
    )
    estimated_tokens: int | None = Field(
        description="Billable training tokens × epochs; null while they are counted."
    )
    usd_per_million_tokens: Decimal | None = Field(
        description="The price book's at launch; null if it had none."
    )
    estimated_usd: Decimal | None
    trained_tokens: int | None
    trained_usd: Decimal | None = Field(
        description="What the trained tokens cost at the price of the launch."
    )
    launch_key: UUID
    remote_id: str | None
    error: dict[str, Any] | None
    created_by: str | None
    created_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None
    estimated_finish_at: datetime | None
    scheduled_for: datetime | None = Field(description="A launch for later.")
    remote_status: str | None = Field(description="The provider's own word.")
    last_polled_at: datetime | None
    next_poll_at: datetime | None
    poll_problem: str | None
    candidates: list[dict[str, Any]] = Field(
        description="In status “unsure”: the provider's jobs that may be this one."
    )
    url: str = Field(description="The job's page.")

    @classmethod
    def of(cls, job: FineTuningJob, url: str) -> Self:
        return cls(**facts_of(job), url=url)


class LaunchedOut(JobOut):
    shutdown_date: date | None = Field(
        description="The day on which the base model stops to answer, if it is known."
    )

    @classmethod
    def of(cls, job: FineTuningJob, url: str) -> Self:
        end = shutdown_of(job.provider, job.base_model)
        return cls(**facts_of(job), url=url, shutdown_date=end.on if end else None)


class EventOut(Schema):
    id: int
    created_at: datetime
    level: str
    type: str
    message: str
    data: Any
    created_by: str | None = Field(description="Whoever caused it; null: a worker.")
    request_id: str | None = Field(description="The provider's id of the request.")

    @classmethod
    def of(cls, event: JobEvent) -> Self:
        names = ("created_at", "level", "type", "message", "data")
        return cls(
            id=event.pk,
            created_by=event.created_by.get_username() if event.created_by else None,
            request_id=event.request_id or None,
            **{name: getattr(event, name) for name in names},
        )


class CheckpointOut(Schema):
    id: int
    name: str
    step_number: int
    metrics: Any
    created_at: datetime

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        names = ("name", "step_number", "metrics", "created_at")
        return cls(
            id=checkpoint.pk, **{name: getattr(checkpoint, name) for name in names}
        )


class JobDetailOut(JobOut):
    """A job with its story: events oldest first, one entry of metrics a step."""

    events: list[EventOut]
    metrics: list[dict[str, Any]]
    checkpoints: list[CheckpointOut]
    shutdown_date: date | None = Field(
        description="The day on which the tuned model stops to answer, or its base."
    )


class JobPage(Schema):
    items: list[JobOut]
    count: int = Field(description="How many jobs fit the filters in all.")
    page: int
    n_pages: int


class Problem(Schema):
    """An error: what happened, why, and what to do next."""

    what: str
    why: str
    what_to_do: str


class ErrorOut(Schema):
    error: Problem


def facts_of(job: FineTuningJob) -> dict[str, Any]:
    """A job's own row and the names of what it points to; no secret among them."""
    version = job.dataset_version
    same_names = (
        *("status", "base_model", "suffix", "seed", "hyperparameters"),
        "resolved_hyperparameters",
        *("estimated_epochs", "estimated_tokens", "usd_per_million_tokens"),
        *("estimated_usd", "trained_usd"),
        *("trained_tokens", "launch_key", "created_at", "launched_at", "finished_at"),
        *("estimated_finish_at", "last_polled_at", "next_poll_at"),
        *("scheduled_for", "candidates"),
    )
    return {
        **{name: getattr(job, name) for name in same_names},
        "id": job.pk,
        "team": job.team.slug,
        "dataset": version.dataset.name,
        "version": version.number,
        "version_id": version.pk,
        "training_sha256": version.training_sha256,
        "provider": job.provider.name,
        "fine_tuned_model": job.fine_tuned_model or None,
        "remote_id": job.remote_id or None,
        "remote_status": job.remote_status or None,
        "error": {**job.error, "what_to_do": what_to_do(job)} if job.error else None,
        "poll_problem": job.poll_problem or None,
        "created_by": job.created_by.get_username() if job.created_by else None,
    }
