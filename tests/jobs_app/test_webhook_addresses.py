"""Where a webhook may lead: judged when it is typed, and again when it is sent."""

import socket

import pytest

from guarded_calls.signing import Message, new_secret
from jobs_app.addresses import RefusedAddress
from jobs_app.providers.webhooks import NotDelivered, send
from jobs_app.webhook_addresses import check_webhook_url
from tests.jobs_app.receiver import Receiver

SECRET = new_secret()
MESSAGE = Message(id="msg_1", sent_at=1_700_000_000, body=b"{}")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://[::1/x", "cannot be read"),
        ("ftp://hooks.example/x", "must look like"),
        ("https://", "must look like"),
        ("https://mina@hooks.example/x", "no user name"),
        ("https://hooks.example/x#y", "no “#”"),
        ("http://hooks.example/x", "WEBHOOK_ALLOWED_HOSTS"),
        ("https://10.0.0.1/x", "inside a private network"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(url, why):
    with pytest.raises(RefusedAddress, match=why):
        check_webhook_url(url)


def test_a_provider_that_may_be_inside_is_no_receiver(settings):
    settings.PROVIDER_ALLOWED_HOSTS = ["127.0.0.1:8000"]

    with pytest.raises(RefusedAddress):
        check_webhook_url("http://127.0.0.1:8000/x")


def test_an_entry_in_the_settings_allows_one_port_only(settings):
    settings.WEBHOOK_ALLOWED_HOSTS = ["10.0.0.5:8000"]

    check_webhook_url("http://10.0.0.5:8000/x")
    with pytest.raises(RefusedAddress):
        check_webhook_url("http://10.0.0.5:8001/x")


def test_what_was_allowed_once_is_judged_again_when_it_is_sent(receiver, settings):
    settings.WEBHOOK_ALLOWED_HOSTS = []

    with pytest.raises(NotDelivered, match="must begin with https"):
        send(receiver.url, SECRET, MESSAGE)
    assert receiver.got == []


def test_a_name_that_leads_inside_is_never_connected_to(monkeypatch):
    def inside(host, port, **_asked):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port))]

    connected: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", inside)
    monkeypatch.setattr(socket, "create_connection", connected.append)

    with pytest.raises(NotDelivered, match="inside a private network"):
        send("https://hooks.example/x", SECRET, MESSAGE)
    assert connected == []


def test_no_proxy_of_the_environment_hears_of_it(receiver, monkeypatch):
    with Receiver() as proxy:
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.host}")

        send(receiver.url, SECRET, MESSAGE)

    assert (len(receiver.got), proxy.got) == (1, [])


def test_a_receiver_that_cannot_be_reached_is_no_crash(settings):
    settings.WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1:9"]

    with pytest.raises(NotDelivered, match="cannot be reached"):
        send("http://127.0.0.1:9/x", SECRET, MESSAGE)


@pytest.mark.parametrize(("status", "is_gone"), [(410, True), (404, False)])
def test_only_a_receiver_that_says_so_is_gone(receiver, status, is_gone):
    receiver.answers = [status]

    with pytest.raises(NotDelivered) as raised:
        send(receiver.url, SECRET, MESSAGE)
    assert raised.value.is_gone is is_gone
