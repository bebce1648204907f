"""Files on their way in, part by part."""

from django.db import models

from tuning_server_app import ids


class UploadStatus(models.TextChoices):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Upload(models.Model):
    """A file on its way in, part by part; it leaves `pending` once and for good."""

    organization = models.ForeignKey(
        "tuning_server_app.Organization", on_delete=models.CASCADE
    )
    wire_id = models.CharField(max_length=40, unique=True, default=ids.upload_id)
    status = models.CharField(
        max_length=10, choices=UploadStatus, default=UploadStatus.PENDING
    )
    purpose = models.CharField(max_length=20)
    filename = models.CharField(max_length=255)
    n_bytes = models.BigIntegerField()  # as announced
    file_life_seconds = models.PositiveIntegerField(null=True)
    file = models.OneToOneField(
        "tuning_server_app.File", on_delete=models.SET_NULL, null=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=("status", "expires_at"), name="upload_by_end"),
        ]

    def __str__(self) -> str:
        return self.wire_id


class UploadPart(models.Model):
    """A stored piece of an upload that is still pending."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    wire_id = models.CharField(max_length=40, unique=True, default=ids.part_id)
    blob = models.CharField(max_length=64, unique=True)
    n_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.wire_id
