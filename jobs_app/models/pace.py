"""How the workers share a provider, and a door that anybody may knock at."""

import logging
import secrets
from datetime import timedelta

from django.db import OperationalError, models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from jobs_app.encryption import EncryptedTextField
from jobs_app.models.providers import Provider
from teams_app.models import TeamScopedQuerySet

MINUTE = timedelta(seconds=60)
log = logging.getLogger(__name__)


class ProviderPace(models.Model):
    """Who asks this provider now, and how much it was asked this minute."""

    TEAM_PATH = "provider__team"

    provider = models.OneToOneField(
        Provider, primary_key=True, on_delete=models.CASCADE, related_name="pace"
    )
    # A worker polls it, or reads what its jobs wrote, until then at the latest.
    polled_until = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    # Requests since then; a new minute begins with the first one after it.
    minute_began_at = models.DateTimeField(default=now)
    n_requests = models.PositiveIntegerField(default=0)
    # It could not answer, or asked to be left alone until then.
    blocked_until = models.DateTimeField(null=True)
    n_failures = models.PositiveIntegerField(default=0)
    # Where a listing that ran out of requests goes on: the last id it saw.
    list_after = models.CharField(max_length=200, blank=True)
    # When its list of models was read; see services.model_ends.
    models_read_at = models.DateTimeField(null=True)
    # When to look in the list for jobs that it did not show.
    look_again_at = models.DateTimeField(null=True)

    objects = TeamScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.n_requests} requests this minute"


def count_in_minute(provider: Provider, n: int) -> None:
    """Add to the minute's requests what was made beyond what was reserved; below 0:
    what was reserved and not made. A busy database costs the count, never the work."""
    began, over = now(), Q(minute_began_at__lte=now() - MINUTE)
    row = ProviderPace.objects.filter(provider=provider)
    counted = {
        "n_requests": Case(
            When(over, then=max(n, 0)), default=Greatest(F("n_requests") + n, 0)
        ),
        "minute_began_at": Case(When(over, then=began), default=F("minute_began_at")),
    }
    try:
        if not row.update(**counted):
            ProviderPace.objects.get_or_create(
                provider=provider, defaults={"n_requests": max(n, 0)}
            )
    except OperationalError:
        log.warning("requests were not counted", extra={"provider": provider.pk})


def new_token() -> str:
    return secrets.token_urlsafe(24)


class WebhookDoor(models.Model):
    """An address of ours at which one provider may call, and how it signs."""

    TEAM_PATH = "provider__team"

    provider = models.OneToOneField(
        Provider,
        on_delete=models.CASCADE,
        related_name="webhook_door",
        verbose_name=_("provider"),
    )
    token = models.CharField(
        max_length=64, unique=True, default=new_token, editable=False
    )
    secret = EncryptedTextField(_("signing secret"), blank=True, editable=False)
    # Calls since then, believed or not; a new minute begins with the first after it.
    minute_began_at = models.DateTimeField(default=now, editable=False)
    n_calls = models.PositiveIntegerField(default=0, editable=False)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook of a provider")
        verbose_name_plural = _("webhooks of providers")

    def __str__(self) -> str:
        return str(self.provider)

    @property
    def has_secret(self) -> bool:
        """Without decrypting it."""
        return bool(self.__dict__.get("secret"))


class ReceivedWebhook(models.Model):
    """A provider's call that was heard, so that the same one is heard once."""

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE)
    webhook_id = models.CharField(max_length=200)
    received_at = models.DateTimeField(default=now)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("received webhook")
        verbose_name_plural = _("received webhooks")
        constraints = [
            models.UniqueConstraint(
                fields=("provider", "webhook_id"), name="webhook_heard_once"
            )
        ]
        indexes = [models.Index(fields=("received_at",), name="webhook_age")]

    def __str__(self) -> str:
        return self.webhook_id


class ListedModel(models.Model):
    """A model as its provider lists it, and the day on which it will be shut down."""

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="listed_models"
    )
    name = models.CharField(max_length=300)
    shutdown_date = models.DateField(null=True)
    seen_at = models.DateTimeField(default=now)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("listed model")
        verbose_name_plural = _("listed models")
        constraints = [
            models.UniqueConstraint(
                fields=("provider", "name"), name="model_listed_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
