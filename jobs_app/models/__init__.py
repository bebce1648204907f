"""Launch and follow: providers, prices, fine-tuning jobs and what is known of them."""

from jobs_app.models.approvals import Approval, Reason
from jobs_app.models.jobs import (
    AT_PROVIDER,
    COMMITTED,
    FINISHED,
    MAY_BECOME,
    OPEN,
    OVER,
    Checkpoint,
    EventType,
    FineTuningJob,
    Heartbeat,
    HeldOutAnswer,
    IllegalTransition,
    JobEvent,
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
from jobs_app.models.pace import ListedModel, ProviderPace, ReceivedWebhook
from jobs_app.models.prices import Price, usd
from jobs_app.models.providers import Provider, ProviderKind, RemoteFile
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
    "ListedModel",
    "Notice",
    "NoticeChoice",
    "NoticeKind",
    "Price",
    "Provider",
    "ProviderKind",
    "ProviderPace",
    "ProviderRequests",
    "Reason",
    "ReceivedWebhook",
    "RemoteFile",
    "RequestResult",
    "Webhook",
    "count_requests",
    "usd",
]
