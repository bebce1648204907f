"""The life of a check. The table is the queue: a worker claims it, takes step after
step, and gives it back when the provider needs time; a tick rings again for it, and
for one whose worker died. What a step found is stored before the next one begins."""

import logging
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from datasets_app.models import RunStatus
from datasets_app.services import runs
from jobs_app import providers
from jobs_app.models import Provider, ProviderCheck
from jobs_app.providers import Ability, ProviderRejected, ProviderUnavailable
from jobs_app.services.compatibility.steps import STEPS, Step
from jobs_app.services.compatibility.walk import NotYet, Outcome, Walk
from teams_app import audit
from teams_app.models import User, Verb

log = logging.getLogger(__name__)

STEP_SECONDS = 45  # shorter than the silence after which a run counts as dead
MAX_AGE = timedelta(minutes=15)  # then it only cleans up
N_TRIES = 3  # of a step that gets no clear answer
ENDING_REASONS = {"bad_key", "redirect", "training_not_available"}
CLEAN = STEPS[-1]


def start_check(
    provider: Provider, *, base_model: str, may_cost: bool, by: User | None
) -> ProviderCheck:
    """A check for the workers; the one that is on its way, if there is one.

    Raises:
        ValidationError: there is no model to try with.
    """
    model = base_model.strip() or provider.default_base_model
    if not model:
        raise ValidationError(_("Name a base model that the provider can tune."))
    try:
        with transaction.atomic():
            audit.record(
                Verb.CHECKED, provider, by=by, base_model=model, may_cost=may_cost
            )
            return ProviderCheck.objects.create(
                provider=provider,
                base_url=provider.base_url,
                base_model=model,
                may_cost=may_cost or not providers.profile_of(provider).costs_money,
                n_total=len(STEPS),
                created_by=by,
            )
    except IntegrityError:
        return provider.checks.get(status__in=(RunStatus.PENDING, RunStatus.RUNNING))


def waiting_checks() -> QuerySet[ProviderCheck]:
    """Those that rang unheard, wait for their provider, or lost their worker."""
    return runs.waiting(ProviderCheck)


@transaction.atomic
def cancel_check(check: ProviderCheck, *, by: User | None = None) -> None:
    """Leave out what is still to come, except for cleaning up."""
    unasked = ProviderCheck.objects.filter(pk=check.pk, cancel_requested_at=None)
    if unasked.update(cancel_requested_at=now()):
        audit.record(Verb.STOPPED, check.provider, by=by, check=check.pk)


def run_check(check: ProviderCheck) -> None:
    """Take the steps that can be taken now; harmless to call twice, even at once."""
    if not runs.claim(check):
        return
    try:
        _walk(check)
    except runs.LostClaim:
        log.info("check %d: another worker goes on", check.pk)


def _walk(check: ProviderCheck) -> None:
    while check.n_done < len(STEPS):
        step = STEPS[check.n_done]
        try:
            outcome = _why_left_out(check, step) or _taken(check, step)
        except NotYet:
            runs.update(check, n_attempts=0)  # it waits; no worker died of it
            runs.release(check)
            return
        _store(check, step, outcome)
    _end(check)


def _why_left_out(check: ProviderCheck, step: Step) -> Outcome | None:
    if step is CLEAN:
        return _given_up(check)
    check.refresh_from_db(fields=["cancel_requested_at"])
    if check.cancel_requested_at:
        return Outcome.left_out(_("The check was cancelled."))
    if check.memory.get("ended"):
        return Outcome.left_out(_("It makes no sense without the step before."))
    if now() - check.created_at > MAX_AGE:
        return Outcome.left_out(_("The check took too long."))
    if runs.has_failed_too_often(check):
        return Outcome.left_out(_("The worker stopped during this step, repeatedly."))
    if step.costs and not check.may_cost:
        return Outcome.left_out(_("It costs money, and that was not allowed."))
    if step.needs and not check.memory.get(step.needs):
        return Outcome.left_out(_("It makes no sense without the step before."))
    return None


def _given_up(check: ProviderCheck) -> Outcome | None:
    """Cleaning is always tried, but not for ever."""
    if check.n_attempts <= 2 * runs.MAX_ATTEMPTS:
        return None
    name = f"check-{check.key}"
    return Outcome.fails(
        _("The worker stopped during this step, repeatedly. Look for “%(name)s”.")
        % {"name": name}
    )


def _taken(check: ProviderCheck, step: Step) -> Outcome:
    """The step's outcome; a clear no is one, and so is silence, after some tries."""
    provider = check.provider
    if provider.base_url != check.base_url:
        return Outcome.fails(_("The provider's base URL changed."), is_last=True)
    provider.abilities = {}  # in this process only: nothing is taken for granted
    try:
        with providers.connect(provider, max_seconds=STEP_SECONDS) as client:
            return step.take(Walk(check, client))
    except ProviderRejected as exc:
        is_last = step.is_needed or exc.reason in ENDING_REASONS
        found = {step.ability: False} if step.ability and not is_last else {}
        return Outcome.fails(str(exc), is_last=is_last, found=found)
    except ProviderUnavailable as exc:
        _try_again(check, step)
        return Outcome.fails(str(exc), is_last=step.is_needed)


def _try_again(check: ProviderCheck, step: Step) -> None:
    """Raises NotYet, until it was tried often enough."""
    name = f"tries of {step.name}"
    n_tries = check.memory.get(name, 0) + 1
    runs.update(check, memory={**check.memory, name: n_tries})
    if n_tries < N_TRIES:
        raise NotYet


def _store(check: ProviderCheck, step: Step, outcome: Outcome) -> None:
    line = {
        "step": step.name,
        "result": outcome.result,
        "words": outcome.words,
        "found": outcome.found,
    }
    memory = {**check.memory, "ended": True} if outcome.is_last else check.memory
    runs.update(
        check,
        results=[*check.results, line],
        memory=memory,
        n_done=check.n_done + 1,
        n_attempts=0,
    )


def _end(check: ProviderCheck) -> None:
    """Keep what was found at the provider, if it still is at that address."""
    found: dict[str, bool] = {}
    for line in check.results:
        found |= line["found"]
    status = RunStatus.CANCELLED if check.cancel_requested_at else RunStatus.FINISHED
    with transaction.atomic():
        runs.end(check, status)
        provider = (
            Provider.objects.select_for_update()
            .filter(pk=check.provider_id, base_url=check.base_url)
            .first()
        )
        if provider is not None and found:
            provider.abilities = {**provider.abilities, **found}
            provider.checked_at = now()
            provider.keeps_metadata = found.get(
                Ability.LAUNCH_KEY, provider.keeps_metadata
            )
            provider.save(update_fields=["abilities", "checked_at", "keeps_metadata"])
