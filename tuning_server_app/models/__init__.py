"""What the server keeps: who may call it, their files, jobs and tuned models."""

from tuning_server_app.models.chats import StoredChat
from tuning_server_app.models.device_uses import DeviceUse
from tuning_server_app.models.exports import Export, ExportKind, ExportState
from tuning_server_app.models.files import File, FilePurpose, FileStatus
from tuning_server_app.models.jobs import (
    FINISHED,
    MAY_BECOME,
    EventKind,
    EventLevel,
    IllegalTransition,
    JobEvent,
    JobStatus,
    Method,
    TuningJob,
)
from tuning_server_app.models.organizations import ApiKey, Organization
from tuning_server_app.models.permissions import CheckpointPermission
from tuning_server_app.models.tuned_models import Checkpoint, TunedModel
from tuning_server_app.models.uploads import Upload, UploadPart, UploadStatus
from tuning_server_app.models.webhooks import DeliveryState, Webhook, WebhookDelivery

__all__ = [
    "ApiKey",
    "Organization",
    "File",
    "FilePurpose",
    "FileStatus",
    "Upload",
    "UploadPart",
    "UploadStatus",
    "EventKind",
    "EventLevel",
    "FINISHED",
    "IllegalTransition",
    "JobEvent",
    "JobStatus",
    "MAY_BECOME",
    "Method",
    "TuningJob",
    "DeviceUse",
    "Checkpoint",
    "TunedModel",
    "CheckpointPermission",
    "Export",
    "ExportKind",
    "ExportState",
    "StoredChat",
    "DeliveryState",
    "Webhook",
    "WebhookDelivery",
]
