"""A team's rules for launches: how much they may cost, and when two must agree."""

from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from datasets_app.models import DatasetVersion
from jobs_app.models import FineTuningJob, Reason
from jobs_app.services.estimates import Estimate
from jobs_app.services.spending import Spending, cost_of, spending_of
from teams_app.models import Team

ABOVE = (Reason.LAUNCH_LIMIT, Reason.MONTH_LIMIT, Reason.UNKNOWN_COST)


@dataclass(frozen=True)
class Ruling:
    """What a team's rules say of one launch: `reasons` why a second person must agree
    (none: it may run), or `refusals`, sentences that say why it may not."""

    usd: Decimal | None
    spending: Spending
    reasons: list[Reason]
    refusals: list[str]

    @property
    def labels(self) -> list[str]:
        return [str(reason.label) for reason in self.reasons]


def lock_team(team_id: int) -> Team:
    """Until this transaction ends nobody else launches in the team, so two launches
    cannot both find the room that is left for one."""
    return Team.objects.select_for_update(no_key=True).get(pk=team_id)


def judge(
    team: Team,
    found: Estimate,
    version: DatasetVersion,
    *,
    but: FineTuningJob | None = None,
) -> Ruling:
    """By the rules and the money as they are now; lock the team to rely on it.

    Args:
        but: a job whose own money is not counted, for it is the one that is judged.
    """
    usd, spending = cost_of(found), spending_of(team, but=but)
    above = reasons_above(team, usd, spending)
    reasons = [Reason.ALWAYS] if team.approve_always else []
    if team.approve_above_limit:
        reasons += above
    if team.approve_unapproved_rows and version.has_unapproved_rows:
        reasons.append(Reason.UNAPPROVED_ROWS)
    refusals = [] if team.approve_above_limit else above
    return Ruling(
        usd=usd,
        spending=spending,
        reasons=reasons,
        refusals=[_sentence(each, team, found, spending) for each in refusals],
    )


def ruling_on(job: FineTuningJob, team: Team, found: Estimate) -> Ruling:
    """Raises ValidationError where the rules allow no launch at all."""
    ruling = judge(team, found, job.dataset_version, but=job)
    if ruling.refusals:
        raise ValidationError(ruling.refusals)
    return ruling


def reasons_above(team: Team, usd: Decimal | None, spending: Spending) -> list[Reason]:
    """Which limits the launch would exceed. What is free exceeds none."""
    if not team.has_limit or usd == 0:
        return []
    if usd is None:
        return [Reason.UNKNOWN_COST]
    above = []
    if team.launch_limit_usd is not None and usd > team.launch_limit_usd:
        above.append(Reason.LAUNCH_LIMIT)
    if team.month_limit_usd is not None and (
        spending.total + usd > team.month_limit_usd
    ):
        above.append(Reason.MONTH_LIMIT)
    return above


def _sentence(reason: Reason, team: Team, found: Estimate, spending: Spending) -> str:
    if reason == Reason.UNKNOWN_COST:
        return _unknown(found)
    values = {"usd": money(cost_of(found)), "total": money(spending.total)}
    if reason == Reason.LAUNCH_LIMIT:
        return _(
            "This launch would cost about %(usd)s USD, and the team allows "
            "%(limit)s USD for one launch. Choose fewer rows or epochs, or ask an "
            "owner of the team to raise the limit."
        ) % {**values, "limit": money(team.launch_limit_usd)}
    return _(
        "This launch would cost about %(usd)s USD, and %(total)s USD of the "
        "%(limit)s USD that the team allows for this month are spent or committed "
        "already. Wait for the next month, or ask an owner of the team to raise the "
        "limit."
    ) % {**values, "limit": money(team.month_limit_usd)}


def _unknown(found: Estimate) -> str:
    if not found.is_counted:
        return _(
            "The team has a cost limit, and what this launch costs is not known yet: "
            "the version's tokens are still being counted. Try again in a moment."
        )
    return _(
        "The team has a cost limit, and no price for %(model)s at %(provider)s is "
        "known, so this counts as above the limit. Ask an owner of the team to add the "
        "price to the price book, or to change the limit."
    ) % {"model": found.base_model, "provider": found.provider}


def money(usd: Decimal | None) -> str:
    """Cents; a training that costs less than one shows what it costs."""
    if usd is None:
        return "?"
    places = 4 if 0 < usd < Decimal("0.01") else 2
    return number_format(usd, places)
