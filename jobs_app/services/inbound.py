"""A provider's call shortens the wait for a poll; it changes nothing by itself."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.timezone import now

from jobs_app.models import (
    AT_PROVIDER,
    FineTuningJob,
    Provider,
    ReceivedWebhook,
    WebhookDoor,
)
from jobs_app.models.pace import MINUTE
from jobs_app.providers.inbound import JobNews

# A call older than five minutes is refused by its signature, so none comes back later.
REMEMBERED_FOR = timedelta(days=1)
# Calls a minute at one door, believed or not; all web processes count together.
MAX_CALLS = 120


def is_crowded(door: WebhookDoor) -> bool:
    """Count this call; True: there were too many, and then nothing is written."""
    this_minute = WebhookDoor.objects.filter(
        pk=door.pk, minute_began_at__gt=now() - MINUTE
    )
    if this_minute.filter(n_calls__lt=MAX_CALLS).update(n_calls=F("n_calls") + 1):
        return False
    if this_minute.exists():
        return True
    WebhookDoor.objects.filter(pk=door.pk).update(minute_began_at=now(), n_calls=1)
    return False


def hear(provider: Provider, news: JobNews) -> bool:
    """Make a job due that a provider says moved. False: there is nothing to poll.

    The same call, repeated, is heard once.
    """
    try:
        with transaction.atomic():
            ReceivedWebhook.objects.create(
                provider=provider, webhook_id=news.webhook_id
            )
            return _make_due(provider, news.job_id)
    except IntegrityError:
        return False


def _make_due(provider: Provider, job_id: str) -> bool:
    jobs = FineTuningJob.objects.filter(provider=provider, remote_id=job_id)
    return bool(jobs.filter(status__in=AT_PROVIDER).update(next_poll_at=now()))


def forget_old_webhooks() -> None:
    long_ago = now() - REMEMBERED_FOR
    ReceivedWebhook.objects.filter(received_at__lt=long_ago).delete()
