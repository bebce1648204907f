"""The workers' door: each task fetches by id and calls one service."""

import logging
import time

from celery import shared_task

from jobs_app import services
from jobs_app.log_fields import about_provider
from jobs_app.models import Delivery, FineTuningJob, Provider, ProviderCheck
from jobs_app.providers import ProviderError
from jobs_app.services import inbound, model_ends, notices, shutdowns, watching
from jobs_app.services.comparing import COMPARISON_CLAIM_SECONDS
from jobs_app.services.delivering import deliver
from jobs_app.services.driving import SUBMISSION_CLAIM_SECONDS
from jobs_app.services.notices import CLAIM_SECONDS

# A tick that waited this long is outdated: the next one does its work.
TICK_EXPIRES_SECONDS = 20
LEFTOVERS_EXPIRE_SECONDS = 600
log = logging.getLogger(__name__)


@shared_task(expires=SUBMISSION_CLAIM_SECONDS)
def submit_job(job_id: int) -> None:
    job = FineTuningJob.objects.get(pk=job_id)
    if not job.is_for_later:  # whoever launches rings, whatever the time
        services.submit_job(job)


@shared_task(expires=TICK_EXPIRES_SECONDS)
def poll_provider(provider_id: int) -> None:
    provider = Provider.objects.get(pk=provider_id)
    services.poll_provider(provider)
    services.complete_estimates(provider)


@shared_task(expires=TICK_EXPIRES_SECONDS)
def read_histories(provider_id: int) -> None:
    services.read_histories(Provider.objects.get(pk=provider_id))


@shared_task(expires=COMPARISON_CLAIM_SECONDS)
def compare_held_out(job_id: int) -> None:
    services.compare_one_held_out_row(FineTuningJob.objects.get(pk=job_id))


@shared_task
def check_provider(check_id: int) -> None:
    check = ProviderCheck.objects.select_related("provider").filter(pk=check_id).first()
    if check is not None:  # it may have been deleted since the bell rang
        services.run_check(check)


@shared_task(expires=TICK_EXPIRES_SECONDS)
def drive_open_jobs() -> None:
    """The tick: ring whatever is due, and show that it comes round."""
    began = time.monotonic()
    services.reclaim_stalled_jobs()
    for job_id in services.claim_due_submissions():
        submit_job.delay(job_id)
    for provider_id in services.providers_to_poll():
        poll_provider.delay(provider_id)
    for provider_id in services.providers_to_read():
        read_histories.delay(provider_id)
    for job_id in services.claim_due_comparisons():
        compare_held_out.delay(job_id)
    for check_id in services.waiting_checks().values_list("pk", flat=True):
        check_provider.delay(check_id)
    services.beat(seconds=time.monotonic() - began)


@shared_task(expires=CLAIM_SECONDS)
def deliver_notice(delivery_id: int) -> None:
    related = ("notice__team", "notice__job__provider", "user", "webhook")
    found = Delivery.objects.select_related(*related).filter(pk=delivery_id).first()
    if found is not None:  # its job, its webhook or its user may be deleted by now
        deliver(found)


@shared_task(expires=TICK_EXPIRES_SECONDS)
def drive_notices() -> None:
    """The outbox's tick: hand what happened to those who want to hear of it."""
    notices.spread_notices()
    for delivery_id in notices.claim_due_deliveries():
        deliver_notice.delay(delivery_id)


@shared_task(expires=TICK_EXPIRES_SECONDS)
def watch_jobs() -> None:
    """A slow tick, for what nobody sees at once."""
    watching.tell_of_stalled_jobs()
    shutdowns.tell_of_shutdowns()
    notices.forget_old_notices()
    inbound.forget_old_webhooks()
    for provider_id in model_ends.providers_to_list_models_of():
        read_models.delay(provider_id)
    for provider_id in services.providers_with_deletions():
        delete_leftovers.delay(provider_id)


@shared_task(expires=LEFTOVERS_EXPIRE_SECONDS)
def look_for_leftovers(provider_id: int) -> None:
    provider = Provider.objects.get(pk=provider_id)
    try:
        services.look_for_leftovers(provider)
    except ProviderError as exc:
        log.warning("its files were not listed", extra=about_provider(provider, exc))


@shared_task(expires=LEFTOVERS_EXPIRE_SECONDS)
def delete_leftovers(provider_id: int) -> None:
    services.delete_leftovers(Provider.objects.get(pk=provider_id))


@shared_task(expires=TICK_EXPIRES_SECONDS)
def read_models(provider_id: int) -> None:
    model_ends.read_models(Provider.objects.get(pk=provider_id))
