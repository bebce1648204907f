"""One way in for portal and admin, and clear words for those who may not."""

import pytest
from django.test import Client
from django.urls import reverse

from teams_app.models import Role
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db


def test_the_admin_sends_a_stranger_to_the_sign_in_page_and_back(client):
    answer = client.get(reverse("admin:teams_app_team_changelist"), follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/admin/teams_app/team/"
    assert answer.templates[0].name == "registration/login.html"


def test_the_admin_tells_a_user_without_team_what_to_do(client):
    client.force_login(make_user(username="mina"))
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403
    assert "signed in as “mina”, who is in no team yet" in answer.content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_every_member_may_open_the_admin(client, role):
    client.force_login(make_member(role))
    assert client.get(reverse("admin:index")).status_code == 200


def test_an_inactive_user_cannot_sign_in(client):
    make_user(username="mina", password="pw", is_active=False)
    form = {"username": "mina", "password": "pw"}
    assert client.post(reverse("login"), form).status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_polling_page_is_reloaded_when_its_session_has_ended(client):
    answer = client.get(reverse("login"), headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert answer.content == b""


def test_signing_out_needs_a_post(client):
    client.force_login(make_user())
    assert client.get(reverse("logout")).status_code == 405


def test_signing_in_does_not_lead_to_another_site(client):
    make_user(username="mina", password="pw")
    form = {"username": "mina", "password": "pw", "next": "https://evil.example/"}
    assert client.post(reverse("login"), form).url == reverse("home")


def test_too_many_wrong_passwords_lock_with_an_explanation(settings):
    settings.AXES_ENABLED = True
    client = Client(REMOTE_ADDR="192.0.2.7")
    form = {"username": "mina", "password": "wrong"}
    answers = [client.post(reverse("login"), form) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [429]
    assert "Too many wrong passwords" in answers[-1].content.decode()


def test_a_missing_page_says_so_in_the_sites_own_look(client):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_the_header_switches_the_language(client):
    answer = client.post(
        reverse("set_language"), {"language": "ko", "next": reverse("login")}
    )
    assert answer.url == reverse("login")
    assert '<html lang="ko">' in client.get(answer.url).content.decode()


def test_a_member_at_the_admins_own_door_is_let_in(client):
    client.force_login(make_member(Role.VIEWER))
    assert client.get(reverse("admin:login")).url == reverse("admin:index")


def test_a_stranger_at_the_admins_own_door_comes_back_to_its_first_page(client):
    answer = client.get(reverse("admin:login"))
    assert answer.url == f"{reverse('login')}?next={reverse('admin:index')}"
