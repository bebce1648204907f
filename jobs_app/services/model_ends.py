"""When a model stops to answer, as its provider's own list says: read once a day."""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Q
from django.utils.timezone import localdate, now

from jobs_app import providers
from jobs_app.log_fields import about_provider
from jobs_app.models import FineTuningJob, ListedModel, Provider, ProviderPace
from jobs_app.providers import ProviderError

log = logging.getLogger(__name__)

READ_AGAIN_AFTER = timedelta(days=1)
# A provider that does not answer is asked again sooner.
TRY_AGAIN_AFTER = timedelta(hours=1)
READ_SECONDS = 20
# Providers asked in one tick; the others follow in the next.
AT_ONCE = 20
SOON = timedelta(days=90)


@dataclass(frozen=True)
class Shutdown:
    """The end of a model; `is_of_base`: of the one it was tuned from."""

    name: str
    on: date
    is_of_base: bool = False

    @property
    def is_past(self) -> bool:
        return self.on <= localdate()

    @property
    def is_soon(self) -> bool:
        return self.on <= localdate() + SOON

    @property
    def n_days(self) -> int:
        return max(0, (self.on - localdate()).days)


def shutdown_of(provider: Provider, model: str) -> Shutdown | None:
    """None: the provider does not say that this model will be shut down."""
    listed = ListedModel.objects.filter(provider=provider, name=model)
    on = listed.values_list("shutdown_date", flat=True).first()
    return None if on is None else Shutdown(model, on)


def shutdown_of_job(job: FineTuningJob) -> Shutdown | None:
    """The tuned model's own end, or its base's: it answers no longer than that."""
    if not job.fine_tuned_model:
        return shutdown_of(job.provider, job.base_model)
    own = shutdown_of(job.provider, job.fine_tuned_model)
    base = shutdown_of(job.provider, job.base_model)
    ends = [own, base and Shutdown(base.name, base.on, is_of_base=True)]
    return min(filter(None, ends), key=lambda end: end.on, default=None)


def providers_to_list_models_of() -> list[int]:
    """Ids of the providers whose models have not been read for a day."""
    read_at = "pace__models_read_at"
    is_due = Q(**{read_at: None}) | Q(**{f"{read_at}__lt": now() - READ_AGAIN_AFTER})
    due = Provider.objects.filter(is_due).exclude(api_key="")
    longest_ago = due.order_by(F(read_at).asc(nulls_first=True), "pk")
    return list(longest_ago.values_list("pk", flat=True)[:AT_ONCE])


def read_models(provider: Provider) -> None:
    """Store what the provider lists now. If it does not answer, what is known stays."""
    try:
        with providers.connect(provider, max_seconds=READ_SECONDS) as client:
            found = client.listed_models()
    except ProviderError as exc:
        log.info("its models could not be listed", extra=about_provider(provider, exc))
        _note(provider, now() - READ_AGAIN_AFTER + TRY_AGAIN_AFTER)
        return
    rows = [
        ListedModel(provider=provider, name=each.name, shutdown_date=each.shutdown_date)
        for each in found
    ]
    ListedModel.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["provider", "name"],
        update_fields=["shutdown_date", "seen_at"],
        batch_size=500,
    )
    _note(provider, now())


def _note(provider: Provider, read_at: datetime) -> None:
    ProviderPace.objects.update_or_create(
        provider=provider, defaults={"models_read_at": read_at}
    )
