"""The operator's admin pages."""

import pytest
from django.test import Client

from teams_app.models import Role
from tests.factories import make_member
from tests.tuning_server_app.factories import make_job, make_key
from tuning_server_app.models import ApiKey, JobStatus

KEYS = "/admin/tuning_server_app/apikey/"
JOBS = "/admin/tuning_server_app/tuningjob/"


def test_keys_are_shown_without_their_secret(admin_client: Client):
    key, secret = make_key()
    for path in (KEYS, f"{KEYS}{key.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert key.name in page
        assert secret not in page
        assert key.key_hash not in page


def test_a_key_is_revoked_by_an_action(admin_client: Client):
    key, _secret = make_key()
    admin_client.post(KEYS, {"action": "revoke", "_selected_action": key.pk})
    assert ApiKey.objects.get().revoked_at is not None


def test_a_job_is_cancelled_by_an_action(admin_client: Client):
    job = make_job()
    admin_client.get(f"{JOBS}{job.pk}/change/")
    admin_client.post(JOBS, {"action": "cancel", "_selected_action": job.pk})
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


@pytest.mark.django_db
@pytest.mark.parametrize("path", [KEYS, JOBS])
def test_a_teams_owner_sees_none_of_it(client: Client, path: str):
    client.force_login(make_member(Role.OWNER, is_staff=True))
    assert client.get(path).status_code == 403
    assert "tuning_server_app" not in client.get("/admin/").content.decode()
