"""What a job made: names that answer chat, and the epochs they stand for."""

from django.db import models

from tuning_server_app import ids
from tuning_server_app.models.jobs import TuningJob
from tuning_server_app.models.organizations import Organization


class TunedModel(models.Model):
    """A name that answers chat: a base model with one adapter folder on top."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    job = models.ForeignKey(
        TuningJob, on_delete=models.CASCADE, related_name="tuned_models"
    )
    name = models.CharField(max_length=300, unique=True)
    base_model = models.CharField(max_length=150)
    adapter = models.CharField(max_length=200)  # folder below TUNING_SERVER_DIR/runs
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Checkpoint(models.Model):
    """The weights after one epoch. Deleting its model deletes it, and only then."""

    job = models.ForeignKey(
        TuningJob, on_delete=models.CASCADE, related_name="checkpoints"
    )
    wire_id = models.CharField(max_length=40, unique=True, default=ids.checkpoint_id)
    step_number = models.PositiveIntegerField()
    metrics = models.JSONField()
    tuned_model = models.OneToOneField(TunedModel, on_delete=models.CASCADE)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.wire_id
