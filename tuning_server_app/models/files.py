"""What clients brought and what trainings left, as files."""

from django.db import models

from tuning_server_app import ids
from tuning_server_app.models.organizations import Organization


class FilePurpose(models.TextChoices):
    FINE_TUNE = "fine-tune"
    FINE_TUNE_RESULTS = "fine-tune-results"


class FileStatus(models.TextChoices):
    UPLOADED = "uploaded"  # its content is still to be made
    PROCESSED = "processed"
    ERROR = "error"


class File(models.Model):
    """A stored file. `blob` is its random name on disk; `filename` is only a label."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    wire_id = models.CharField(max_length=40, unique=True, default=ids.file_id)
    purpose = models.CharField(max_length=20, choices=FilePurpose)
    filename = models.CharField(max_length=255)
    blob = models.CharField(max_length=64, unique=True)
    n_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(
        max_length=10, choices=FileStatus, default=FileStatus.PROCESSED
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.wire_id
