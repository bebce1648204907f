"""Launch and follow: providers, prices, fine-tuning jobs and what is known of them."""

from jobs_app.models.jobs import (
    AT_PROVIDER,
    FINISHED,
    MAY_BECOME,
    OPEN,
    Checkpoint,
    EventType,
    FineTuningJob,
    Heartbeat,
    HeldOutAnswer,
    IllegalTransition,
    JobEvent,
    JobStatus,
)
from jobs_app.models.prices import Price, usd
from jobs_app.models.providers import Provider, ProviderKind, RemoteFile

__all__ = [
    "AT_PROVIDER",
    "FINISHED",
    "MAY_BECOME",
    "OPEN",
    "Checkpoint",
    "EventType",
    "FineTuningJob",
    "Heartbeat",
    "HeldOutAnswer",
    "IllegalTransition",
    "JobEvent",
    "JobStatus",
    "Price",
    "Provider",
    "ProviderKind",
    "RemoteFile",
    "usd",
]
