"""One worker at a time polls a provider, and none asks more often than it may be asked.

The rows of `ProviderPace` are shared by all workers: a lease is one conditional UPDATE
that ends by itself, and the requests of a minute are counted in the same row. Workers
reserve what they are going to ask; whatever else is asked, by a person's cancel say,
the client counts as it closes (`ProviderClient.n_reserved`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils.timezone import now

from jobs_app.models import FineTuningJob, Provider, ProviderPace
from jobs_app.models.pace import MINUTE
from jobs_app.providers import ProviderError, profile_of
from jobs_app.services.backoff import try_again_at

# Jobs that the list did not show are looked for in it again after this.
LOOK_AGAIN_AFTER = timedelta(minutes=10)


class Work(StrEnum):
    """What one worker at a time does at a provider: the column of its lease."""

    POLL = "polled_until"
    READ = "read_until"


@contextmanager
def lease(provider: Provider, work: Work, seconds: float) -> Iterator[bool]:
    """True: nobody else does this at the provider until the block ends.

    A worker that dies in the block holds the lease for `seconds` and no longer.
    """
    until = _claim(provider, work, seconds)
    try:
        yield until is not None
    finally:
        if until is not None:
            mine = ProviderPace.objects.filter(provider=provider, **{work: until})
            mine.update(**{work: None})


def _claim(provider: Provider, work: Work, seconds: float) -> datetime | None:
    ProviderPace.objects.get_or_create(provider=provider)
    until = now() + timedelta(seconds=seconds)
    is_free = Q(**{work: None}) | Q(**{f"{work}__lte": now()})
    free = ProviderPace.objects.filter(is_free, provider=provider)
    return until if free.update(**{work: until}) else None


def free_providers(work: Work) -> QuerySet[Provider]:
    """Those where nobody does this work, and that did not ask to be left alone."""
    is_busy = Q(**{f"pace__{work}__gt": now()})
    is_blocked = Q(pace__blocked_until__gt=now())
    return Provider.objects.exclude(is_busy | is_blocked)


def requests_per_minute(provider: Provider) -> int:
    return provider.requests_per_minute or profile_of(provider).requests_per_minute


def reserve(provider: Provider, n_wanted: int, *, share: float = 1.0) -> int:
    """How many of these requests may be made now; they count as made.

    With a `share` below 1 the rest of the minute's requests is left to others.
    """
    with transaction.atomic():
        pace = ProviderPace.objects.select_for_update().get(provider=provider)
        if pace.blocked_until and pace.blocked_until > now():
            return 0
        if pace.minute_began_at <= now() - MINUTE:
            pace.minute_began_at, pace.n_requests = now(), 0
        n_left = int(requests_per_minute(provider) * share) - pace.n_requests
        n_granted = max(0, min(n_wanted, n_left))
        pace.n_requests += n_granted
        pace.save(update_fields=["minute_began_at", "n_requests"])
    return n_granted


def reserve_all(provider: Provider, n_wanted: int) -> int:
    """All of these requests, or 0; a provider that allows fewer gives a minute's."""
    ProviderPace.objects.get_or_create(provider=provider)
    n_wanted = min(n_wanted, requests_per_minute(provider))
    n_granted = reserve(provider, n_wanted)
    if n_granted < n_wanted:
        give_back(provider, n_granted)
        return 0
    return n_granted


def free_at(provider: Provider) -> datetime:
    """When requests may be made again, for whom none were left."""
    row = ProviderPace.objects.get(provider=provider)
    if row.blocked_until and row.blocked_until > now():
        return row.blocked_until
    return max(row.minute_began_at + MINUTE, now())


def give_back(provider: Provider, n_unused: int) -> None:
    """Requests that were reserved and not made."""
    if n_unused > 0:
        row = ProviderPace.objects.filter(provider=provider)
        row.update(n_requests=Greatest(F("n_requests") - n_unused, 0))


def block(provider: Provider, exc: ProviderError) -> datetime:
    """Leave the provider alone, longer after each failure. Returns until when."""
    row = ProviderPace.objects.get(provider=provider)
    until = try_again_at(row.n_failures, exc)
    row.blocked_until, row.n_failures = until, row.n_failures + 1
    row.save(update_fields=["blocked_until", "n_failures"])
    return until


def unblock(provider: Provider) -> None:
    """It answered."""
    blocked = ProviderPace.objects.filter(provider=provider).exclude(n_failures=0)
    blocked.update(blocked_until=None, n_failures=0)


def is_blocked(provider: Provider) -> bool:
    row = ProviderPace.objects.filter(provider=provider)
    return row.filter(blocked_until__gt=now()).exists()


def n_failures(provider: Provider) -> int:
    """How often running it did not answer."""
    return ProviderPace.objects.get(provider=provider).n_failures


def may_look_again(provider: Provider, unlisted: QuerySet[FineTuningJob]) -> bool:
    """True now and then, if there are such jobs: the list may show them by now."""
    row = ProviderPace.objects.filter(provider=provider)
    is_time = Q(look_again_at=None) | Q(look_again_at__lte=now())
    if not row.filter(is_time).exists() or not unlisted.exists():
        return False
    return bool(row.update(look_again_at=now() + LOOK_AGAIN_AFTER))


def leave_cursor(provider: Provider, after: str) -> None:
    """Where the next listing begins: behind this id, or at the newest job."""
    row = ProviderPace.objects.filter(provider=provider).exclude(list_after=after)
    row.update(list_after=after)


def cursor(provider: Provider) -> str:
    return ProviderPace.objects.get(provider=provider).list_after
