"""What every answer tells the browser to refuse, and what its cookies are kept from."""

import pytest
from django.test import Client

from jobs_app import services
from teams_app.models import Role
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

PAGES = {
    "/": 200,
    "/sign-in/": 200,
    "/admin/": 200,
    "/admin/jobs_app/provider/1/change/": 302,
    "/admin/teams_app/user/": 403,
    "/jobs/999/": 404,
    "/nowhere": 404,
    "/api/docs": 200,
    "/api/jobs": 401,
    "/v1/models": 401,
}


def refuse_foreign_code(answer) -> None:
    policy = answer.headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["script-src"] == rules["style-src"] == rules["default-src"] == "'self'"
    assert rules["object-src"] == rules["base-uri"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_foreign_code(client, path):
    client.force_login(make_member(Role.OWNER))
    answer = client.get(path)

    assert answer.status_code == PAGES[path]
    refuse_foreign_code(answer)


def test_an_answer_of_the_broken_site_does_so_too(monkeypatch):
    def break_down():
        raise RuntimeError

    monkeypatch.setattr(services, "silent_processes", break_down)
    client = Client(raise_request_exception=False)
    client.force_login(make_member(Role.VIEWER))
    answer = client.get("/")

    assert answer.status_code == 500
    refuse_foreign_code(answer)


def test_no_script_and_no_other_site_gets_the_session(client):
    make_user(username="mina", password="pw")
    client.post("/sign-in/", {"username": "mina", "password": "pw"})
    cookie = client.cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]


def test_a_form_of_another_site_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_member(Role.LAUNCHER))

    assert client.post("/jobs/new/").status_code == 403
    assert client.post("/account/", {"name": "theirs"}).status_code == 403


def test_the_site_answers_to_no_other_name(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
