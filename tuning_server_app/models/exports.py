"""The files in which a tuned model can be carried away."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ExportKind(models.TextChoices):
    ADAPTER = "adapter", _("adapter")  # for PEFT, on top of the base
    MERGED = "merged", _("merged model")  # stands alone


class ExportState(models.TextChoices):
    UNASKED = "unasked", _("not asked for")  # made when somebody wants it
    WANTED = "wanted", _("wanted")
    MAKING = "making", _("being made")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class Export(models.Model):
    """A file of weights, whose content is made after its row; `file.status` tells
    clients how far it is."""

    file = models.OneToOneField("tuning_server_app.File", on_delete=models.CASCADE)
    # None: the model was deleted; what was made of it by then stays.
    tuned_model = models.ForeignKey(
        "tuning_server_app.TunedModel", on_delete=models.SET_NULL, null=True
    )
    kind = models.CharField(max_length=10, choices=ExportKind)
    state = models.CharField(max_length=10, choices=ExportState)
    heartbeat_at = models.DateTimeField(null=True)  # of whoever makes it
    used_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("tuned_model", "kind"), name="one_export_of_a_kind"
            )
        ]
        indexes = [models.Index(fields=("state",), name="export_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.tuned_model_id}"
