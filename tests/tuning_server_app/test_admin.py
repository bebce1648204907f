"""The operator's admin pages."""

import re
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils.timezone import now

from teams_app.models import Role
from tests.factories import make_member
from tests.tuning_server_app.factories import make_job, make_key, make_organization
from tuning_server_app.models import ApiKey, JobStatus, Organization, TuningJob
from tuning_server_app.operator_admin import OperatorAdmin
from tuning_server_app.services import keys

KEYS = "/admin/tuning_server_app/apikey/"
ORGANIZATIONS = "/admin/tuning_server_app/organization/"
JOBS = "/admin/tuning_server_app/tuningjob/"


def test_keys_are_shown_without_their_secret(admin_client: Client):
    key, secret = make_key()
    for path in (KEYS, f"{KEYS}{key.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert key.name in page
        assert secret not in page
        assert key.key_hash not in page


def make_key_on_the_page(operator: Client, name: str = "laptop") -> Any:
    owner, _created = Organization.objects.get_or_create(slug="acme")
    data = {"organization": owner.pk, "name": name}
    return operator.post(f"{KEYS}add/", data)


def secret_on(page: Any) -> str:
    found = re.search(r"sk-\w+(?=</code>)", page.content.decode())
    assert found
    return found[0]


def test_a_key_made_on_the_page_opens_the_server(admin_client: Client, client: Client):
    page = make_key_on_the_page(admin_client)
    headers = {"Authorization": f"Bearer {secret_on(page)}"}
    assert client.get("/v1/models", headers=headers).status_code == 200
    assert ApiKey.objects.get().organization.slug == "acme"


def test_a_key_is_shown_in_the_answer_to_its_form_alone(admin_client: Client):
    page = make_key_on_the_page(admin_client)
    assert "no-store" in page["Cache-Control"]
    again = make_key_on_the_page(admin_client)  # the page is loaded anew
    assert "Revoke it first" in again.content.decode()
    assert secret_on(page) not in str(LogEntry.objects.values())
    assert secret_on(page) not in str([*admin_client.session.items()])


@pytest.mark.django_db
def test_nobody_but_an_operator_makes_keys(client: Client):
    client.force_login(make_member(Role.OWNER, is_staff=True))
    assert make_key_on_the_page(client).status_code == 403
    assert not ApiKey.objects.exists()


def test_a_key_cannot_be_edited(admin_client: Client):
    key, _secret = make_key()
    path = f"{KEYS}{key.pk}/change/"
    assert admin_client.post(path, {"name": "other"}).status_code == 403


def test_organizations_are_listed_with_their_valid_keys(
    admin_client: Client,
):
    key, _secret = make_key(make_organization(slug="acme"))
    make_key(key.organization)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=now())
    page = admin_client.get(ORGANIZATIONS).content.decode()
    assert "acme" in page
    assert re.search(r'field-n_valid_keys">1<', page)


def test_an_organization_is_made_on_the_page(admin_client: Client):
    admin_client.post(f"{ORGANIZATIONS}add/", {"slug": "acme"})
    assert Organization.objects.get().slug == "acme"


def test_a_key_is_revoked_by_an_action(admin_client: Client):
    key, _secret = make_key()
    admin_client.post(KEYS, {"action": "revoke", "_selected_action": key.pk})
    assert ApiKey.objects.get().revoked_at is not None


def test_to_revoke_an_old_key_leaves_the_new_one_of_its_name(admin_client: Client):
    old, _secret = make_key()
    ApiKey.objects.update(revoked_at=now())
    new = ApiKey(organization=old.organization, name=old.name)
    keys.issue_key(new)
    admin_client.post(KEYS, {"action": "revoke", "_selected_action": old.pk})
    assert ApiKey.objects.get(pk=new.pk).revoked_at is None


@pytest.mark.parametrize("missing", ["organization", "name"])
def test_a_key_without_all_of_its_fields_is_not_made(
    admin_client: Client, missing: str
):
    data = {"organization": make_organization().pk, "name": "laptop"}
    page = admin_client.post(f"{KEYS}add/", {**data, missing: ""})
    assert page.status_code == 200
    assert not ApiKey.objects.exists()


def test_a_job_that_has_ended_is_not_cancelled(admin_client: Client):
    job = make_job(status=JobStatus.SUCCEEDED)
    data = {"action": "cancel", "_selected_action": job.pk}
    page = admin_client.post(JOBS, data, follow=True)
    assert 'class="error"' in page.content.decode()
    assert TuningJob.objects.get().status == JobStatus.SUCCEEDED


def test_a_job_is_cancelled_by_an_action(admin_client: Client):
    job = make_job()
    admin_client.get(f"{JOBS}{job.pk}/change/")
    admin_client.post(JOBS, {"action": "cancel", "_selected_action": job.pk})
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


@pytest.mark.django_db
@pytest.mark.parametrize("path", [KEYS, JOBS, ORGANIZATIONS])
def test_a_teams_owner_sees_none_of_it(client: Client, path: str):
    client.force_login(make_member(Role.OWNER, is_staff=True))
    assert client.get(path).status_code == 403
    assert "tuning_server_app" not in client.get("/admin/").content.decode()


def test_an_action_says_how_many_keys_it_revoked(admin_client: Client):
    key, _secret = make_key()
    data = {"action": "revoke", "_selected_action": key.pk}
    page = admin_client.post(KEYS, data, follow=True).content.decode()
    assert "1 key revoked." in page


@pytest.mark.parametrize(
    ("is_active", "is_superuser"), [(True, False), (False, True), (True, True)]
)
def test_an_operator_is_a_superuser_who_may_still_sign_in(
    rf: RequestFactory, is_active: bool, is_superuser: bool
):
    request = rf.get("/")
    user: Any = User(is_active=is_active, is_superuser=is_superuser)
    request.user = user
    page = OperatorAdmin(ApiKey, site)
    assert page.has_view_permission(request) == (is_active and is_superuser)
