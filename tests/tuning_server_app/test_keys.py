"""Bearer keys: shown once, kept as hashes, useless from the moment they are revoked."""

import logging
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import make_key, make_organization
from tuning_server_app import services
from tuning_server_app.models import ApiKey
from tuning_server_app.services.keys import is_name_taken

pytestmark = pytest.mark.django_db


def status_with(client: Client, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return client.get("/v1/models", headers=headers).status_code


def test_a_revoked_key_is_refused_at_once(client: Client):
    key, secret = make_key()
    assert status_with(client, secret) == 200
    services.revoke_key(key.name, key.organization.slug)
    assert status_with(client, secret) == 401


def test_revoking_one_key_leaves_the_others(client: Client):
    key, _secret = make_key()
    _same_house, second = make_key(key.organization)
    services.revoke_key(key.name, key.organization.slug)
    assert status_with(client, second) == 200


def test_a_key_of_the_same_name_elsewhere_is_not_revoked(client: Client):
    secret = services.create_key("laptop", "acme")
    services.create_key("laptop", "other")
    services.revoke_key("laptop", "other")
    assert status_with(client, secret) == 200


def test_a_revoked_key_is_not_revoked_again():
    key, _secret = make_key()
    services.revoke_key(key.name, key.organization.slug)
    with pytest.raises(services.KeyUnknown):
        services.revoke_key(key.name, key.organization.slug)


def test_only_a_valid_key_of_the_same_house_takes_its_name():
    key, _secret = make_key()
    name = {"name": key.name, "organization": key.organization}
    assert is_name_taken(ApiKey(**name))
    assert not is_name_taken(ApiKey(**{**name, "name": "another"}))
    assert not is_name_taken(ApiKey(**{**name, "organization": make_organization()}))
    services.revoke_key(key.name, key.organization.slug)
    assert not is_name_taken(ApiKey(**name))


def test_the_last_use_is_noted_once_a_minute(client: Client):
    key, secret = make_key()
    status_with(client, secret)
    key.refresh_from_db()
    assert key.last_used_at is not None
    first, old = key.last_used_at, now() - timedelta(minutes=2)
    status_with(client, secret)
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.update(last_used_at=old)
    status_with(client, secret)
    key.refresh_from_db()
    assert key.last_used_at > old


def test_the_use_of_one_key_is_not_noted_for_another(client: Client):
    other, _secret = make_key()
    status_with(client, make_key()[1])
    other.refresh_from_db()
    assert other.last_used_at is None


def test_a_key_without_its_scheme_opens_nothing(client: Client):
    headers = {"Authorization": make_key()[1]}
    assert client.get("/v1/models", headers=headers).status_code == 401


def test_a_secret_stands_in_no_log_and_no_repr(
    client: Client, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        key, secret = make_key(make_organization(slug="acme"))
        status_with(client, secret)
        status_with(client, f"{secret}-with-a-slip")
        client.get("/v1/nowhere", headers={"Authorization": f"Bearer {secret}"})
    assert secret not in caplog.text
    assert secret not in f"{key!r} {key} {vars(key)}"


def test_a_wrong_key_is_not_echoed(client: Client):
    headers = {"Authorization": "Bearer sk-from-elsewhere"}
    answer = client.get("/v1/models", headers=headers)
    assert b"sk-from-elsewhere" not in answer.content
