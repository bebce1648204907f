"""How a compatibility check goes from step to step, whatever the steps say."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from datasets_app.models import RunStatus
from datasets_app.services import runs
from jobs_app import services
from jobs_app.models import Provider, ProviderCheck
from jobs_app.providers import Ability, ProviderRejected, ProviderUnavailable
from jobs_app.services.compatibility import running
from jobs_app.services.compatibility.steps import Step
from jobs_app.services.compatibility.walk import NotYet, Outcome, Walk
from teams_app import audit
from teams_app.models import AuditEntry
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


def check_of(provider: Provider | None = None, **asked: Any) -> ProviderCheck:
    defaults = {"base_model": "m", "may_cost": True, "by": None}
    return services.start_check(provider or make_provider(), **{**defaults, **asked})


def broken(*_given: Any, **_named: Any) -> None:
    raise RuntimeError


def walk(monkeypatch: pytest.MonkeyPatch, *given: Step, **row: Any) -> dict[str, str]:
    """What becomes of these steps. Returns {step: result}."""
    monkeypatch.setattr(running, "STEPS", given)
    check = check_of()
    ProviderCheck.objects.filter(pk=check.pk).update(**row)
    check.refresh_from_db()
    services.run_check(check)
    check.refresh_from_db()
    return {line["step"]: line["result"] for line in check.results}


def works(_walk: Walk) -> Outcome:
    return Outcome.works(found={Ability.PAUSE: True})


def refuses(reason: str = "refused") -> Any:
    def refuse(_walk: Walk) -> Outcome:
        raise ProviderRejected("No.", reason=reason)

    return refuse


def test_a_check_tries_the_providers_own_model():
    assert check_of(base_model=" ").base_model == "base-model"


def test_the_check_that_is_on_its_way_is_given_not_one_that_ended():
    provider = make_provider()
    ended = check_of(provider)
    ProviderCheck.objects.update(status=RunStatus.FINISHED)

    check = check_of(provider)

    assert check != ended
    assert check_of(provider) == check


def test_one_check_is_cancelled_once_and_that_stands_in_the_log():
    check, other = check_of(), check_of()
    for _time in range(2):
        services.cancel_check(check)

    assert AuditEntry.objects.filter(verb="stopped").count() == 1
    other.refresh_from_db()
    assert other.cancel_requested_at is None


def test_a_check_is_not_cancelled_unseen(monkeypatch):
    check = check_of()
    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(RuntimeError):
        services.cancel_check(check)
    check.refresh_from_db()
    assert check.cancel_requested_at is None


def test_a_check_that_another_worker_took_is_left_to_it(monkeypatch):
    def lose(_walk: Walk) -> Outcome:
        ProviderCheck.objects.update(claim=None)
        return Outcome.works()

    assert walk(monkeypatch, Step("a", lose)) == {}


def test_waiting_is_no_failure_of_a_worker(monkeypatch):
    def wait(_walk: Walk) -> Outcome:
        raise NotYet

    walk(monkeypatch, Step("a", wait), n_attempts=3)

    check = ProviderCheck.objects.get()
    assert (check.status, check.n_attempts) == (RunStatus.PENDING, 0)


def test_a_cancel_is_heard_between_two_steps(monkeypatch):
    def cancel(_walk: Walk) -> Outcome:
        ProviderCheck.objects.update(cancel_requested_at=now())
        return Outcome.works()

    results = walk(monkeypatch, Step("a", cancel), Step("b", works))

    assert results == {"a": "works", "b": "left_out"}
    assert ProviderCheck.objects.get().status == RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("row", "step"),
    [
        ({"created_at": now() - timedelta(days=1)}, Step("a", works)),
        ({"n_attempts": runs.MAX_ATTEMPTS}, Step("a", works)),
        ({"may_cost": False}, Step("a", works, costs=True)),
        ({"memory": {"ended": True}}, Step("a", works)),
        ({"memory": {"b": "x"}}, Step("a", works, needs="a")),
    ],
)
def test_a_step_is_left_out(monkeypatch, row, step):
    assert walk(monkeypatch, step, **row) == {"a": "left_out"}


def test_a_step_whose_needs_are_met_is_taken(monkeypatch):
    step = Step("a", works, costs=True, needs="b")
    assert walk(monkeypatch, step, memory={"b": "x"}) == {"a": "works"}


@pytest.mark.parametrize(
    ("step", "found", "result_of_next"),
    [
        (Step("a", refuses(), ability=Ability.DPO), {"dpo": False}, "works"),
        (Step("a", refuses()), {}, "works"),
        (Step("a", refuses(), is_needed=True), {}, "left_out"),
        (Step("a", refuses(), is_needed=True, ability=Ability.DPO), {}, "left_out"),
        (Step("a", refuses("bad_key"), ability=Ability.DPO), {}, "left_out"),
    ],
)
def test_a_no_denies_what_was_tried_or_ends_all(
    monkeypatch, step, found, result_of_next
):
    results = walk(monkeypatch, step, Step("b", works))

    assert results == {"a": "fails", "b": result_of_next}
    assert ProviderCheck.objects.get().results[0]["found"] == found


def test_silence_is_tried_again_and_in_the_end_denies_nothing(monkeypatch):
    def silence(_walk: Walk) -> Outcome:
        raise ProviderUnavailable("Nothing.")

    step = Step("a", silence, ability=Ability.DPO)
    assert walk(monkeypatch, step) == {}
    check = ProviderCheck.objects.get()
    for _time in range(running.N_TRIES - 1):
        services.run_check(check)
        check.refresh_from_db()

    assert check.results[0]["result"] == "fails"
    assert check.provider.abilities == {}


def test_what_was_found_is_kept_of_that_provider(monkeypatch):
    other = make_provider()

    walk(monkeypatch, Step("a", works))

    check = ProviderCheck.objects.get()
    other.refresh_from_db()
    assert (check.provider.abilities, other.abilities) == ({"pause": True}, {})


def test_a_check_ends_with_what_it_found_or_not_at_all(monkeypatch):
    provider = make_provider()
    monkeypatch.setattr(Provider, "save", broken)
    monkeypatch.setattr(running, "STEPS", (Step("a", works),))
    check = check_of(provider)

    with pytest.raises(RuntimeError):
        services.run_check(check)
    check.refresh_from_db()
    assert check.status == RunStatus.RUNNING
