"""What a team's trainings of this month cost, and what those that run will cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime

from jobs_app.models import COMMITTED, FINISHED, Approval, FineTuningJob
from jobs_app.models.prices import CENTS, MILLION
from jobs_app.services.estimates import Estimate
from teams_app.models import Team

NOTHING = Decimal(0)
# What was trained is known at the end; until then the estimate stands for it.
_TOKENS = Coalesce("trained_tokens", "estimated_tokens")
_USD = ExpressionWrapper(
    _TOKENS * F("usd_per_million_tokens") / MILLION,
    output_field=DecimalField(max_digits=30, decimal_places=6),
)


@dataclass(frozen=True)
class Spending:
    """USD of the jobs launched this month, and of those that wait for approval."""

    since: datetime
    spent: Decimal
    committed: Decimal
    waiting: Decimal
    n_unknown: int  # launched jobs whose cost nobody knows; they count as 0

    @property
    def total(self) -> Decimal:
        return self.spent + self.committed


def spending_of(team: Team, *, but: FineTuningJob | None = None) -> Spending:
    """Three queries, whatever the number of jobs. `but`: a job that is left out."""
    since = localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    jobs = FineTuningJob.objects.filter(team=team, launched_at__gte=since)
    if but is not None:
        jobs = jobs.exclude(pk=but.pk)
    paid = jobs.filter(_is_paid())
    sums = paid.aggregate(
        spent=Sum(_USD, filter=Q(status__in=FINISHED)),
        committed=Sum(_USD, filter=Q(status__in=COMMITTED)),
    )
    waiting = Approval.objects.filter(job__team=team, decided_at=None)
    return Spending(
        since=since,
        spent=_round(sums["spent"]),
        committed=_round(sums["committed"]),
        waiting=_round(waiting.aggregate(usd=Sum("usd"))["usd"]),
        n_unknown=_of_unknown_cost(paid).count(),
    )


def _is_paid() -> Q:
    """What ended before a provider had it costs nothing."""
    return Q(status__in=COMMITTED) | Q(status__in=FINISHED) & ~Q(remote_id="")


def _of_unknown_cost(jobs: QuerySet[FineTuningJob]) -> QuerySet[FineTuningJob]:
    no_tokens = Q(trained_tokens=None, estimated_tokens=None)
    is_free = Q(usd_per_million_tokens=0)
    return jobs.filter(Q(usd_per_million_tokens=None) | no_tokens & ~is_free)


def cost_of(found: Estimate) -> Decimal | None:
    """USD; None where nobody knows. What is free costs nothing, counted or not."""
    return NOTHING if found.is_free else found.usd


def _round(usd: Decimal | None) -> Decimal:
    return (usd or NOTHING).quantize(CENTS)
