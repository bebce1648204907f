"""Who else may ask a model."""

from django.db import models

from tuning_server_app import ids


class CheckpointPermission(models.Model):
    """An organization that may chat with a model of another one, by its owner's leave.

    `project_id` is its short name as the owner wrote it: whether such an
    organization exists is nobody's business.
    """

    tuned_model = models.ForeignKey(
        "tuning_server_app.TunedModel",
        on_delete=models.CASCADE,
        related_name="permissions",
    )
    wire_id = models.CharField(max_length=40, unique=True, default=ids.permission_id)
    project_id = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("tuned_model", "project_id"), name="one_permission_per_project"
            )
        ]
        indexes = [models.Index(fields=("project_id",), name="permission_by_project")]

    def __str__(self) -> str:
        return self.wire_id
