"""Launch and follow: providers, prices, fine-tuning jobs and what is known of them."""

from jobs_app.models.approvals import Approval, Reason
from jobs_app.models.heartbeats import Heartbeat
from jobs_app.models.job_story import Checkpoint, EventType, HeldOutAnswer, JobEvent
from jobs_app.models.jobs import (
    AT_PROVIDER,
    COMMITTED,
    FINISHED,
    MAY_BECOME,
    OPEN,
    OVER,
    FineTuningJob,
    IllegalTransition,
    JobStatus,
)
from jobs_app.models.notices import (
    TOLD,
    TOLD_CHOICES,
    Delivery,
    DeliveryState,
    Notice,
    NoticeChoice,
    NoticeKind,
    Webhook,
)
from jobs_app.models.pace import (
    ListedModel,
    ProviderPace,
    ReceivedWebhook,
    WebhookDoor,
    count_in_minute,
)
from jobs_app.models.prices import Price, usd
from jobs_app.models.provider_checks import ProviderCheck, StepResult
from jobs_app.models.providers import (
    LeftoverFile,
    LeftoverReason,
    Provider,
    RemoteFile,
    RemotePart,
)
from jobs_app.models.requests import (
    ANSWERED,
    ProviderRequests,
    RequestResult,
    count_requests,
)

__all__ = [
    "ANSWERED",
    "AT_PROVIDER",
    "COMMITTED",
    "FINISHED",
    "MAY_BECOME",
    "OPEN",
    "OVER",
    "TOLD",
    "TOLD_CHOICES",
    "Approval",
    "Checkpoint",
    "Delivery",
    "DeliveryState",
    "EventType",
    "FineTuningJob",
    "Heartbeat",
    "HeldOutAnswer",
    "IllegalTransition",
    "JobEvent",
    "JobStatus",
    "LeftoverFile",
    "LeftoverReason",
    "ListedModel",
    "Notice",
    "NoticeChoice",
    "NoticeKind",
    "Price",
    "Provider",
    "ProviderCheck",
    "ProviderPace",
    "ProviderRequests",
    "Reason",
    "ReceivedWebhook",
    "RemoteFile",
    "RemotePart",
    "RequestResult",
    "Webhook",
    "StepResult",
    "WebhookDoor",
    "count_in_minute",
    "count_requests",
    "usd",
]
