"""A provider's call shortens the wait for a poll; it changes nothing by itself."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from jobs_app.models import AT_PROVIDER, FineTuningJob, Provider, ReceivedWebhook
from jobs_app.providers.inbound import JobNews

# A call older than five minutes is refused by its signature, so none comes back later.
REMEMBERED_FOR = timedelta(days=1)


def hear(provider: Provider, news: JobNews) -> bool:
    """Make a job due that a provider says moved. False: there is nothing to poll.

    The same call, repeated, is heard once.
    """
    try:
        with transaction.atomic():
            ReceivedWebhook.objects.create(
                provider=provider, webhook_id=news.webhook_id
            )
    except IntegrityError:
        return False
    jobs = FineTuningJob.objects.filter(provider=provider, remote_id=news.job_id)
    return bool(jobs.filter(status__in=AT_PROVIDER).update(next_poll_at=now()))


def forget_old_webhooks() -> None:
    long_ago = now() - REMEMBERED_FOR
    ReceivedWebhook.objects.filter(received_at__lt=long_ago).delete()
