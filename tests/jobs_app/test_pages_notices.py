"""What a user hears of, and the page of what works in the background."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from jobs_app import services, tasks
from jobs_app.models import Delivery, Notice, NoticeChoice, NoticeKind
from jobs_app.services.heartbeats import Pulse
from jobs_app.views import notices as pages
from teams_app.models import Role, User
from tests.factories import make_member, make_provider, make_team, make_user

pytestmark = pytest.mark.django_db
MINE, TEST_MAIL = reverse("notifications:mine"), reverse("notifications:test")


@pytest.fixture
def mina(client) -> User:
    user = make_member(Role.VIEWER, email="mina@example.org")
    client.force_login(user)
    return user


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(tasks.deliver_notice, "delay_on_commit", found.append)
    return found


def deliver(user: User) -> Delivery:
    kind, key = NoticeKind.TEST, f"{Notice.objects.count()}"
    notice = Notice.objects.create(team=make_team(), kind=kind, key=key)
    return Delivery.objects.create(notice=notice, user=user)


def test_a_choice_is_stored_shown_and_told(client, mina):
    NoticeChoice.objects.create(user=make_user(), kind="stalled")
    chosen = {"email": "m@example.org", "language": "en", "kinds": ["failed"]}

    answer = client.post(MINE, chosen)

    assert [str(each) for each in get_messages(answer.wsgi_request)] == [
        "Your choice is stored."
    ]
    form = client.get(MINE).context["form"]
    assert (form.initial["kinds"], form.initial["email"]) == (
        ["failed"],
        "m@example.org",
    )
    assert not form.is_bound


@pytest.mark.parametrize(("kinds", "is_fine"), [(["failed"], False), ([], True)])
def test_who_wants_e_mails_says_where_to(client, mina, kinds, is_fine):
    answer = client.post(MINE, {"email": "", "language": "en", "kinds": kinds})

    assert (answer.status_code == 302) is is_fine
    if not is_fine:
        assert answer.context["form"].errors == {
            "email": ["Where should the e-mails go?"]
        }


def test_the_newest_of_the_own_mails_are_listed(client, mina, monkeypatch):
    deliver(make_user())
    older, newer = deliver(mina), deliver(mina)
    assert list(client.get(MINE).context["deliveries"]) == [newer, older]

    monkeypatch.setattr(pages, "N_DELIVERIES", 1)
    assert list(client.get(MINE).context["deliveries"]) == [newer]


def test_a_test_mail_is_on_its_way(client, mina, rung):
    make_team()
    answer = client.post(TEST_MAIL)

    delivery = Delivery.objects.get(user=mina)
    assert delivery.notice.team in mina.teams.all()
    assert rung == [delivery.pk]
    [said] = get_messages(answer.wsgi_request)
    assert "A test is on its way" in str(said)


@pytest.mark.parametrize("lacking", ["a team", "an address"])
def test_who_lacks_something_is_sent_no_test(client, rung, lacking):
    make_team()
    user = make_user(email="m@example.org")
    if lacking == "an address":
        user = make_member(Role.VIEWER, email="")
    client.force_login(user)

    assert client.post(TEST_MAIL).status_code == 302
    assert client.get(MINE).context["has_team"] is (lacking != "a team")
    assert rung == []


def test_the_page_of_the_processes_names_what_is_silent_and_the_own_providers(
    client, mina, monkeypatch
):
    make_provider()
    ours = make_provider(team=mina.teams.get())
    pulses = [Pulse("worker", None, True, ""), Pulse("beat", None, False, "Start it.")]
    monkeypatch.setattr(services, "heartbeats", lambda: pulses)

    whole = client.get(reverse("processes"))
    part = client.get(reverse("processes"), headers={"HX-Request": "true"})

    assert [each.name for each in whole.context["silent"]] == ["beat"]
    assert list(whole.context["providers"]) == [ours]
    assert whole.templates[0].name == "jobs_app/processes.html"
    assert part.templates[0].name == "jobs_app/_silent.html"
    assert "HX-Request" in whole["Vary"]
