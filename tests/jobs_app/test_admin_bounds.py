"""What the admin's pages of jobs, providers and their webhooks begin with and show."""

import pytest
from django.urls import reverse

from jobs_app import kinds
from jobs_app.models import JobStatus, WebhookDoor
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider, make_team
from tests.jobs_app.test_admin import NEW_JOB, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def user(client, team):
    user = make_member(Role.LAUNCHER, team)
    client.force_login(user)
    return user


def test_a_new_draft_begins_with_the_built_in_server(client, user, team):
    make_provider(team=team)
    built_in = make_provider(team=team, kind=kinds.BUILT_IN, default_base_model="tiny")
    fields = client.get(NEW_JOB).context["adminform"].form
    assert fields["provider"].value() == built_in.pk
    assert fields["base_model"].value() == "tiny"


def test_a_new_draft_is_begun_where_there_is_no_provider(client, user):
    assert client.get(NEW_JOB).status_code == 200


def test_a_poll_problem_is_told_and_a_dash_where_there_is_none(client, user, team):
    for told in ("The server is full.", "-"):
        problem = told if told != "-" else ""
        job = make_job(team=team, status=JobStatus.RUNNING, poll_problem=problem)
        page = client.get(page_of(job)).text
        field = page[page.index("field-problem") :]
        assert f">{told}</div>" in field[:500].replace("\n", "")


@pytest.mark.parametrize("api_key", ["sk-1", ""])
def test_who_may_not_change_a_provider_reads_whether_it_has_a_key(
    client, user, team, api_key
):
    page = client.get(page_of(make_provider(team=team, api_key=api_key))).text
    assert "new_api_key" not in page
    assert ("stored" if api_key else "missing") in page[page.index("field-key") :][:500]


@pytest.mark.parametrize(
    ("api_key", "told"), [("sk-1", "A key is stored"), ("", "No key is stored")]
)
def test_an_owner_is_asked_for_a_key_and_told_of_the_stored_one(client, api_key, told):
    provider = make_provider(api_key=api_key)
    client.force_login(make_member(Role.OWNER, provider.team))
    page = client.get(page_of(provider))
    assert 'name="new_api_key"' in page.text
    fields = page.context["adminform"].form.fields
    assert told in fields["new_api_key"].help_text
    assert "https://" in fields["base_url"].help_text


def test_the_address_for_a_provider_is_shown_once_there_is_one(client, settings, team):
    client.force_login(make_member(Role.OWNER, team))
    assert "Save first" in client.get(reverse("admin:jobs_app_webhookdoor_add")).text
    door = WebhookDoor.objects.create(provider=make_provider(team=team))
    for site, base in (
        ("https://tune.example/", "https://tune.example"),
        ("", f"http://127.0.0.1:{settings.SITE_PORT}"),
    ):
        settings.SITE_URL = site
        address = base + reverse("provider_webhook", args=[door.token])
        assert address in client.get(page_of(door)).text
