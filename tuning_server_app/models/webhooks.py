"""The outbox: which addresses hear of a job's end, and what is on its way to them."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from guarded_calls.sealing import seal, unseal
from tuning_server_app import ids

if TYPE_CHECKING:
    from tuning_server_app.models.jobs import TuningJob

EVENT_TYPE = "fine_tuning.job.{status}"


class Webhook(models.Model):
    """An address that hears how an organization's jobs end, in signed messages."""

    organization = models.ForeignKey(
        "tuning_server_app.Organization",
        on_delete=models.CASCADE,
        verbose_name=_("organization"),
    )
    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    sealed_secret = models.TextField(editable=False)
    # Why it was switched off; empty while it is on.
    problem = models.TextField(_("switched off because"), blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("organization", "name")
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "name"), name="one_webhook_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """Raises UnreadableSecret."""
        return unseal(self.sealed_secret, _secret_keys())

    @secret.setter
    def secret(self, secret: str) -> None:
        self.sealed_secret = seal(secret, _secret_keys())


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    GIVEN_UP = "given_up", _("given up")


class WebhookDelivery(models.Model):
    """The end of one job on its way to one webhook; written when the job ends."""

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, verbose_name=_("webhook")
    )
    job = models.ForeignKey(
        "tuning_server_app.TuningJob",
        on_delete=models.CASCADE,
        verbose_name=_("tuning job"),
    )
    event_type = models.CharField(_("event"), max_length=40)
    # The event's own id, and that of the message, which stays at every attempt.
    event_id = models.CharField(max_length=40)
    message_id = models.CharField(max_length=40, unique=True, default=ids.message_id)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=DeliveryState,
        default=DeliveryState.WAITING,
    )
    n_attempts = models.PositiveIntegerField(_("attempts"), default=0)
    # When it should next be tried; a worker that tries moves it on first.
    next_try_at = models.DateTimeField(_("next attempt"), default=now)
    problem = models.TextField(_("problem"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("webhook", "job"), name="a_webhook_hears_once_of_a_job"
            )
        ]
        indexes = [
            models.Index(
                fields=("next_try_at",),
                condition=Q(state=DeliveryState.WAITING),
                name="tuning_delivery_due",
            )
        ]

    def __str__(self) -> str:
        return self.message_id


def note_end(job: "TuningJob", status: str) -> None:
    """Write what the organization's webhooks are to hear, where the job's end is
    written: in the same transaction."""
    event_id = ids.webhook_event_id()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            webhook=webhook,
            job=job,
            event_type=EVENT_TYPE.format(status=status),
            event_id=event_id,
        )
        for webhook in Webhook.objects.filter(
            organization_id=job.organization_id, problem=""
        )
    )


def _secret_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
