"""How the providers answer: the heartbeat of each, and what came of our requests."""

import logging

from django.db import OperationalError, connection, models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from jobs_app.models.providers import Provider
from teams_app.models import TeamScopedQuerySet

log = logging.getLogger(__name__)


class RequestResult(models.TextChoices):
    OK = "ok", _("answered")
    REFUSED = "refused", _("refused")  # 4xx
    LIMITED = "limited", _("rate limited")  # 429
    BROKEN = "broken", _("broken")  # 5xx, or nothing to make sense of
    UNREACHABLE = "unreachable", _("unreachable")  # no answer in time


ANSWERED = {RequestResult.OK, RequestResult.REFUSED, RequestResult.LIMITED}


class ProviderRequests(models.Model):
    """How many requests to one provider ended so, and when the last of them."""

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="requests"
    )
    result = models.CharField(_("result"), max_length=20, choices=RequestResult)
    n = models.PositiveBigIntegerField(_("requests"), default=0)
    last_at = models.DateTimeField(_("last"))

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("requests to a provider")
        verbose_name_plural = _("requests to providers")
        constraints = [
            models.UniqueConstraint(
                fields=("provider", "result"), name="provider_requests_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.result} {self.n}"


# One statement: two workers may count at once, the first time too.
ADD = """
    INSERT INTO jobs_app_providerrequests AS seen (provider_id, result, n, last_at)
    VALUES (%s, %s, %s, %s)
    ON CONFLICT (provider_id, result)
    DO UPDATE SET n = seen.n + excluded.n, last_at = excluded.last_at
"""


def count_requests(provider: Provider, tally: dict[str, int]) -> None:
    """Add what one client saw. A busy database costs the count, never the work."""
    at = connection.ops.adapt_datetimefield_value(now())
    try:
        with connection.cursor() as cursor:
            for result, n in tally.items():
                cursor.execute(ADD, [provider.pk, str(result), n, at])
    except OperationalError:
        log.warning("requests were not counted", extra={"provider": provider.pk})
