"""With SITE_URL set, a proxy speaks https in front of the site."""

import pytest


@pytest.fixture(autouse=True)
def _behind_https(settings):
    settings.SECURE_SSL_REDIRECT = True


def test_a_plain_page_leads_to_https(client):
    assert client.get("/sign-in/").url.startswith("https://")


def test_the_portals_own_calls_to_the_tuning_server_are_answered(client, db):
    assert client.get("/v1/models").status_code == 401
