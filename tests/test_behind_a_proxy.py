"""With SITE_URL set, a proxy speaks https in front of the site."""

import runpy

import pytest

from finetune_site import settings as settings_module


@pytest.fixture(autouse=True)
def _behind_https(settings):
    settings.SECURE_SSL_REDIRECT = True


def test_a_plain_page_leads_to_https(client):
    assert client.get("/sign-in/").url.startswith("https://")


def test_the_portals_own_calls_to_the_tuning_server_are_answered(client, db):
    assert client.get("/v1/models").status_code == 401


def test_cookies_go_over_https_alone(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://tuning.example")
    behind_https = runpy.run_path(str(settings_module.__file__))

    for cookie in ("SESSION", "CSRF", "LANGUAGE"):
        assert behind_https[f"{cookie}_COOKIE_SECURE"] is True
    assert behind_https["SECURE_SSL_REDIRECT"] is True
    assert behind_https["SECURE_HSTS_SECONDS"] > 0
