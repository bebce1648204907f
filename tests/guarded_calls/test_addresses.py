"""Which addresses may be called: as text, and as the numbers that names stand for."""

import ipaddress

import pytest

from guarded_calls.addresses import (
    Endpoint,
    Fault,
    FaultyUrl,
    check_public,
    check_webhook_url,
    leads_outside,
    read_url,
)

ALLOWED = ["10.0.0.5:443", "[fd00::5]:8000"]


def fault_of(url: str, *allowed: str) -> Fault:
    with pytest.raises(FaultyUrl) as raised:
        check_webhook_url(url, list(allowed))
    return raised.value.fault


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://[::1/x", Fault.UNREADABLE),
        ("https://hooks.example:port/x", Fault.UNREADABLE),
        ("ftp://hooks.example/x", Fault.NOT_HTTP),
        ("https:///x", Fault.NOT_HTTP),
        ("https://user@hooks.example/x", Fault.CREDENTIALS),
        ("https://:word@hooks.example/x", Fault.CREDENTIALS),
        ("https://hooks.example/x#y", Fault.FRAGMENT),
        ("http://hooks.example/x", Fault.NOT_HTTPS),
        ("https://127.0.0.1/x", Fault.INSIDE),
        ("https://127.0.0.1./x", Fault.INSIDE),
        ("https://[::1]/x", Fault.INSIDE),
    ],
)
def test_what_is_wrong_with_an_address(url, fault):
    assert fault_of(url) == fault


def test_a_name_and_a_public_number_are_fine_as_text():
    assert check_webhook_url("https://hooks.example/x", []).host == "hooks.example"
    assert check_webhook_url("https://1.1.1.1/x", []).port == 443


@pytest.mark.parametrize("url", ["https://10.0.0.5/x", "http://[fd00::5]:8000/x"])
def test_what_the_settings_allow_may_be_inside(url):
    assert str(check_webhook_url(url, ALLOWED)) in ALLOWED


@pytest.mark.parametrize("url", ["https://10.0.0.5:444/x", "https://[fd00::5]/x"])
def test_what_is_allowed_is_one_port_of_one_host(url):
    assert fault_of(url, *ALLOWED) == Fault.INSIDE


def test_what_is_allowed_may_still_carry_no_credentials_and_no_fragment():
    assert fault_of("https://me@10.0.0.5/x", *ALLOWED) == Fault.CREDENTIALS
    assert fault_of("https://10.0.0.5/x#y", *ALLOWED) == Fault.FRAGMENT


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://hooks.example/x", "hooks.example:443"),
        ("http://hooks.example./x", "hooks.example:80"),
        ("https://[2606:4700::1111]:8443/x", "[2606:4700::1111]:8443"),
    ],
)
def test_where_an_address_leads(url, endpoint):
    assert str(read_url(url)[0]) == endpoint


def test_who_is_refused_is_told_which_endpoint():
    endpoint = Endpoint("https", "10.0.0.5", 443)

    with pytest.raises(FaultyUrl) as raised:
        check_public(endpoint)
    assert raised.value.endpoint == endpoint


def test_only_what_says_so_stands_for_another_address():
    assert leads_outside(ipaddress.ip_address("2606:4700::7f00:1"))
