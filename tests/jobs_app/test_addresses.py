import ipaddress
import socket

import pytest

from guarded_calls.addresses import is_public, resolve
from jobs_app.addresses import (
    RefusedAddress,
    check_address,
    check_base_url,
    endpoint_of,
)


def resolving_to(*addresses: str):
    def getaddrinfo(host, port, **kwargs):
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",  # carrier-grade NAT, and Alibaba's metadata nearby
        "169.254.169.254",  # metadata of most clouds
        "168.63.129.16",  # Azure's
        "192.0.0.192",  # Oracle's
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",  # Amazon's metadata
        "fec0::1",
        "ff02::1",
        "4000::1",  # reserved, although the registries call it global
    ],
)
def test_private_addresses_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "104.18.6.192", "2606:4700::1111"])
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "disguise",
    [
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
    ],
)
def test_an_ipv4_address_inside_an_ipv6_one_is_seen_through(disguise):
    with pytest.raises(RefusedAddress, match="private network"):
        check_base_url(f"https://{disguise}/v1")


def test_a_public_address_in_an_ipv6_one_is_allowed():
    check_base_url("https://[::ffff:1.1.1.1]/v1")


def test_a_public_address_behind_nat64_is_allowed():
    check_base_url("https://[64:ff9b::101:101]/v1")


def test_plain_http_is_refused_and_the_setting_named():
    why = "must begin with https.*“models.example:80” to PROVIDER_ALLOWED_HOSTS"
    with pytest.raises(RefusedAddress, match=why):
        check_base_url("http://models.example/v1")


def test_an_entry_in_the_settings_allows_that_host_and_port_only(settings):
    settings.PROVIDER_ALLOWED_HOSTS = ["10.0.0.5:8000"]

    check_base_url("http://10.0.0.5:8000/v1")
    with pytest.raises(RefusedAddress):
        check_base_url("http://10.0.0.5:8001/v1")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://models.example/v1",
        "file:///etc/passwd",
        "https:///v1",
        "https://user:pass@models.example/v1",
        "https://models.example@127.0.0.1/v1",
        "https://models.example/v1?x=1",
        "https://models.example/v1#x",
        "https://models.example:99999/v1",
        "https://[::1/v1",
        "https://models\n.example/v1",
        "https://ⓜodels.example/v1",
        "https://models.example/\x00v1",
        "",
    ],
)
def test_urls_with_something_up_their_sleeve_are_refused(url):
    with pytest.raises(RefusedAddress):
        check_base_url(url)


def test_one_private_address_among_public_ones_refuses_the_host(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("1.1.1.1", "10.0.0.1"))

    with pytest.raises(RefusedAddress, match=r"10\.0\.0\.1"):
        resolve(endpoint_of("https://models.example/v1"), check_address)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost"])
def test_other_spellings_of_loopback_are_refused_when_resolved(host):
    with pytest.raises(RefusedAddress):
        resolve(endpoint_of(f"https://{host}/v1"), check_address)


def test_a_trusted_host_may_be_private():
    endpoint = endpoint_of("http://127.0.0.1:8000/v1")

    assert resolve(endpoint, None) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["hooks..example", f"{'a' * 64}.example"])
def test_a_name_that_can_be_none_is_an_unknown_one(host):
    with pytest.raises(OSError, match="label"):
        resolve(endpoint_of(f"https://{host}/v1"), check_address)
