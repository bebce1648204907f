"""A team's page: its rules, its members and what could not be delivered."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from jobs_app import tasks
from jobs_app.models import Delivery, DeliveryState, Notice, NoticeKind, Webhook
from jobs_app.services import teams
from jobs_app.views import teams as pages
from teams_app.models import Role, Team
from tests.factories import make_member, make_team, make_user
from tests.jobs_app.outbox import make_webhook

pytestmark = pytest.mark.django_db
NEW_HOOK = {"name": "x", "url": "https://hooks.example/x", "language": "en"}


@pytest.fixture
def team() -> Team:
    return make_team()


@pytest.fixture
def owner(client, team) -> Client:
    client.force_login(make_member(Role.OWNER, team))
    return client


@pytest.fixture
def hook(team) -> Webhook:
    return make_webhook(team, "https://hooks.example/x", problem="Gone.")


def page_of(team: Team) -> str:
    return reverse("teams:detail", args=[team.pk])


def act(client: Client, hook: Webhook, name: str) -> Any:
    return client.post(reverse("teams:webhook", args=[hook.pk]), {"act": name})


def test_the_rules_are_stored_and_that_is_told(owner, team):
    answer = owner.post(page_of(team), {"launch_limit_usd": "5"})

    team.refresh_from_db()
    assert team.launch_limit_usd == 5
    assert [str(each) for each in get_messages(answer.wsgi_request)] == [
        "The rules are stored."
    ]


def test_rules_that_cannot_be_are_told_and_not_stored(owner, team):
    answer = owner.post(page_of(team), {"launch_limit_usd": "-5"})

    assert "launch_limit_usd" in answer.context["form"].errors
    team.refresh_from_db()
    assert team.launch_limit_usd is None


def test_a_page_that_is_only_looked_at_complains_of_nothing(owner, team):
    form = owner.get(page_of(team)).context["form"]
    assert (form.is_bound, form.instance) == (False, team)


def test_only_the_own_members_are_listed_and_not_all_of_many(owner, team, monkeypatch):
    make_member(Role.VIEWER)
    assert len(owner.get(page_of(team)).context["members"]) == 1

    make_member(Role.VIEWER, team)
    monkeypatch.setattr(pages, "N_MEMBERS", 1)
    assert len(owner.get(page_of(team)).context["members"]) == 1


def test_a_test_is_sent_and_told(owner, hook, monkeypatch):
    rung: list[int] = []
    monkeypatch.setattr(tasks.deliver_notice, "delay_on_commit", rung.append)

    answer = act(owner, hook, "test")

    assert rung == [Delivery.objects.get(webhook=hook).pk]
    [said] = get_messages(answer.wsgi_request)
    assert "A test is on its way" in str(said)


def test_a_webhook_is_switched_on_again(owner, hook):
    act(owner, hook, "on")
    hook.refresh_from_db()
    assert hook.problem == ""


def test_a_new_secret_is_shown_in_this_answer_alone(owner, hook):
    answer = act(owner, hook, "renew")

    new = Webhook.objects.get().secret
    assert new != hook.secret
    assert new in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_a_webhook_is_removed(owner, hook):
    act(owner, hook, "remove")
    assert not Webhook.objects.exists()


def test_what_is_no_act_does_nothing(owner, hook):
    secret = hook.secret
    act(owner, hook, "nonsense")

    stored = Webhook.objects.get()
    assert (stored.problem, stored.secret) == ("Gone.", secret)
    assert not Delivery.objects.exists()


def test_one_webhook_too_many_is_told(owner, team, monkeypatch):
    def refuse(*_args: object, **_rest: object) -> None:
        raise ValidationError("Too many.")

    monkeypatch.setattr(teams, "add_webhook", refuse)
    new = {**NEW_HOOK, "kinds": ["failed"]}

    answer = owner.post(reverse("teams:webhook_add", args=[team.pk]), new)

    assert answer.context["webhook_form"].non_field_errors() == ["Too many."]


def test_the_answer_with_a_new_secret_is_kept_nowhere(owner, team):
    new = {**NEW_HOOK, "kinds": ["failed"]}
    answer = owner.post(reverse("teams:webhook_add", args=[team.pk]), new)
    assert "no-store" in answer["Cache-Control"]


def deliver(team: Team, state: str, problem: str = "", **to: Any) -> Delivery:
    key = f"{Notice.objects.count()}"
    notice = Notice.objects.create(team=team, kind=NoticeKind.TEST, key=key)
    return Delivery.objects.create(notice=notice, state=state, problem=problem, **to)


def test_owners_see_what_went_to_webhooks_and_what_mail_did_not_arrive(
    owner, team, hook, monkeypatch
):
    other, mina = make_team(), make_user()
    deliver(other, DeliveryState.SENT, webhook=make_webhook(other, "https://a.example"))
    deliver(team, DeliveryState.WAITING, user=mina)
    deliver(team, DeliveryState.SENT, user=mina)
    deliver(team, DeliveryState.SENT, "It was slow.", user=mina)
    shown = [
        deliver(team, DeliveryState.WAITING, "Silent.", user=mina),
        deliver(team, DeliveryState.GIVEN_UP, user=mina),
        deliver(team, DeliveryState.WAITING, webhook=hook),
        deliver(team, DeliveryState.SENT, webhook=hook),
    ]

    assert list(owner.get(page_of(team)).context["deliveries"]) == shown[::-1]
    monkeypatch.setattr(pages, "N_DELIVERIES", 1)
    assert list(owner.get(page_of(team)).context["deliveries"]) == shown[-1:]


@pytest.mark.parametrize(
    ("second", "is_missing"),
    [
        (lambda team: make_user(is_superuser=True), False),
        (lambda team: make_member(Role.LAUNCHER, team), False),
        (lambda team: make_member(Role.LAUNCHER, team, is_active=False), True),
        (lambda team: make_member(Role.REVIEWER, team), True),
        (lambda team: make_member(Role.LAUNCHER, make_team()), True),
    ],
)
def test_a_rule_needs_a_second_person_who_may_decide(team, second, is_missing):
    make_member(Role.OWNER, team)
    second(team)

    assert not pages._is_second_missing(team)
    team.approve_always = True
    assert pages._is_second_missing(team) is is_missing
