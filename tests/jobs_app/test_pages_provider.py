"""A provider's page: what it can do, and the check that an owner starts there."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from datasets_app.models import RunStatus
from jobs_app import services, tasks
from jobs_app.models import Provider, ProviderCheck
from teams_app.models import AuditEntry, Role
from tests.factories import make_member, make_provider

pytestmark = pytest.mark.django_db


def signed_in(role: Role, team=None) -> Client:
    client = Client()
    client.force_login(make_member(role, team))
    return client


def page_of(provider: Provider, name: str = "detail") -> str:
    return reverse(f"providers:{name}", args=[provider.pk])


def make_check(provider: Provider, **fields) -> ProviderCheck:
    given = {"base_url": provider.base_url, "base_model": "base-model", "n_total": 13}
    return ProviderCheck.objects.create(provider=provider, **{**given, **fields})


def test_it_tells_what_the_provider_can_do_and_how_that_is_known():
    abilities = {"seed": False}
    provider = make_provider(abilities=abilities, checked_at=now(), api_key="sk-ours")

    page = signed_in(Role.VIEWER, provider.team).get(page_of(provider)).text

    assert "does not work" in page
    assert "said of this kind" in page
    assert "sk-ours" not in page


def test_another_teams_provider_is_not_there():
    provider = make_provider()
    client = signed_in(Role.OWNER)

    for name in ("detail", "check", "check_cancel"):
        answer = client.post(page_of(provider, name))
        assert answer.status_code == (405 if name == "detail" else 404)
    assert client.get(page_of(provider)).status_code == 404


@pytest.mark.parametrize("role", [r for r in Role if r != Role.OWNER])
def test_only_owners_start_and_cancel_a_check(role):
    provider = make_provider()
    client = signed_in(role, provider.team)
    asked = {"base_model": "base-model"}

    assert client.post(page_of(provider, "check"), asked).status_code == 403
    assert client.post(page_of(provider, "check_cancel")).status_code == 403
    assert page_of(provider, "check") not in client.get(page_of(provider)).text


def test_an_owner_starts_a_check_and_a_second_press_starts_no_other():
    provider = make_provider(kind="openai")
    client = signed_in(Role.OWNER, provider.team)

    for _press in range(2):
        client.post(page_of(provider, "check"), {"base_model": "gpt", "may_cost": "on"})

    [check] = ProviderCheck.objects.all()
    assert (check.base_model, check.may_cost) == ("gpt", True)
    assert f'hx-get="{page_of(provider)}"' in client.get(page_of(provider)).text


def test_who_starts_a_check_stands_in_the_audit_log_once():
    provider = make_provider(kind="openai")
    client = signed_in(Role.OWNER, provider.team)

    for _press in range(2):
        client.post(page_of(provider, "check"), {"base_model": "gpt", "may_cost": "on"})

    entry = AuditEntry.objects.get()
    assert (entry.thing, entry.thing_id) == ("provider", provider.pk)
    assert entry.details == {"base_model": "gpt", "may_cost": True}


def test_money_is_spent_only_if_that_was_ticked():
    provider = make_provider(kind="openai")
    client = signed_in(Role.OWNER, provider.team)

    client.post(page_of(provider, "check"), {"base_model": "gpt"})

    assert not ProviderCheck.objects.get().may_cost


def test_where_nothing_costs_money_nobody_is_asked():
    provider = make_provider(kind="built_in", base_url="http://127.0.0.1:8000/v1")
    client = signed_in(Role.OWNER, provider.team)

    assert "may_cost" not in client.get(page_of(provider)).text
    client.post(page_of(provider, "check"), {"base_model": "tiny"})

    assert ProviderCheck.objects.get().may_cost


def test_without_a_model_the_form_says_so():
    provider = make_provider()
    client = signed_in(Role.OWNER, provider.team)

    answer = client.post(page_of(provider, "check"), {"base_model": ""})

    assert "This field is required" in answer.text
    assert not ProviderCheck.objects.exists()


def test_cancelling_is_noted_for_the_worker():
    provider = make_provider()
    check = make_check(provider)

    signed_in(Role.OWNER, provider.team).post(page_of(provider, "check_cancel"))

    check.refresh_from_db()
    assert check.cancel_requested_at is not None


def test_a_finished_check_is_asked_about_no_further():
    provider = make_provider()
    make_check(provider, status="finished")

    page = signed_in(Role.VIEWER, provider.team).get(page_of(provider)).text

    assert "hx-get" not in page[page.index('id="check"') :]


def test_a_providers_words_are_shown_as_text():
    provider = make_provider()
    line = {"step": "models", "result": "fails", "words": "<script>1</script>"}
    make_check(provider, results=[{**line, "found": {}}], n_done=1)

    page = signed_in(Role.VIEWER, provider.team).get(page_of(provider)).text

    assert "&lt;script&gt;1" in page


def test_a_long_history_of_checks_costs_no_more_queries(django_assert_num_queries):
    provider = make_provider()
    make_check(provider, status="finished")
    client = signed_in(Role.VIEWER, provider.team)
    with CaptureQueriesContext(connection) as queries:
        client.get(page_of(provider))

    for _check in range(5):
        make_check(provider, status="finished")
    with django_assert_num_queries(len(queries)):
        client.get(page_of(provider))


def test_a_check_between_two_of_its_steps_is_at_work():
    provider = make_provider()
    make_check(provider, status="pending", n_done=1)

    page = signed_in(Role.VIEWER, provider.team).get(page_of(provider)).text

    assert "at work" in page
    assert "waiting" not in page


def test_a_check_that_begins_rings_a_worker(monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tasks.check_provider, "delay_on_commit", rung.append)
    provider = make_provider()
    client = signed_in(Role.OWNER, provider.team)

    client.post(page_of(provider, "check"), {"base_model": "base-model"})

    assert rung == [provider.checks.get().pk]


def test_a_check_that_cannot_begin_is_told_beside_its_field(monkeypatch):
    def refuse(*_args: object, **_rest: object) -> None:
        raise ValidationError("One is under way.")

    monkeypatch.setattr(services, "start_check", refuse)
    provider = make_provider()
    client = signed_in(Role.OWNER, provider.team)

    answer = client.post(page_of(provider, "check"), {"base_model": "base-model"})

    assert answer.context["form"].errors == {"base_model": ["One is under way."]}


def test_a_check_that_is_over_is_not_cancelled(monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(services, "cancel_check", lambda each, by: asked.append(each))
    provider = make_provider()
    make_check(provider, status=RunStatus.FINISHED)

    signed_in(Role.OWNER, provider.team).post(page_of(provider, "check_cancel"))

    assert asked == []
