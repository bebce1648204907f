"""Which addresses a server may call on a user's word.

A host is judged as the numeric address it resolves to, at every connection, which then
goes to that very address. So a name that resolves to something else a moment later
gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import SplitResult, urlsplit

import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Clouds hand out credentials on these, although they look public.
METADATA_ADDRESSES = {
    ipaddress.ip_address("168.63.129.16"),  # Azure
    ipaddress.ip_address("192.0.0.192"),  # Oracle
}
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Fault(Enum):
    """What is wrong with an address as text."""

    UNREADABLE = auto()
    NOT_HTTP = auto()  # another scheme, or no host
    CREDENTIALS = auto()  # a user name or a password
    FRAGMENT = auto()
    NOT_HTTPS = auto()
    INSIDE = auto()  # a number inside a private network


class FaultyUrl(Exception):
    """Nobody may be sent there."""

    def __init__(self, fault: Fault, endpoint: "Endpoint | None" = None) -> None:
        super().__init__(fault.name)
        self.fault = fault
        self.endpoint = endpoint


@dataclass(frozen=True)
class Endpoint:
    """Where an address leads."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


# Raises whatever says no to an endpoint at this address.
Judge = Callable[[Address, Endpoint], None]


def read_url(url: str) -> tuple[Endpoint, SplitResult]:
    """Take an address apart.

    Raises:
        FaultyUrl: UNREADABLE, NOT_HTTP or CREDENTIALS.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx2.URL(url)  # who connects must be able to read it, too
    except (ValueError, httpx2.InvalidURL) as exc:
        raise FaultyUrl(Fault.UNREADABLE) from exc
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FaultyUrl(Fault.NOT_HTTP)
    if "@" in parts.netloc:
        raise FaultyUrl(Fault.CREDENTIALS)
    default_port = 443 if parts.scheme == "https" else 80
    endpoint = Endpoint(parts.scheme, parts.hostname.rstrip("."), port or default_port)
    return endpoint, parts


def check_public(endpoint: Endpoint) -> None:
    """What can be said of an endpoint before its name is resolved.

    Raises:
        FaultyUrl: NOT_HTTPS, or a numeric host INSIDE.
    """
    if endpoint.scheme != "https":
        raise FaultyUrl(Fault.NOT_HTTPS, endpoint)
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return  # a name
    refuse_inside(address, endpoint)


def check_webhook_url(url: str, allowed_hosts: list[str]) -> Endpoint:
    """Where a webhook leads: https and public, unless its host:port is allowed.

    Raises:
        FaultyUrl
    """
    endpoint, parts = read_url(url)
    if parts.fragment:
        raise FaultyUrl(Fault.FRAGMENT)
    if str(endpoint) not in allowed_hosts:
        check_public(endpoint)
    return endpoint


def refuse_inside(address: Address, endpoint: Endpoint) -> None:
    """A judge. Raises FaultyUrl, INSIDE."""
    if not leads_outside(address):
        raise FaultyUrl(Fault.INSIDE, endpoint)


def resolve(endpoint: Endpoint, judge: Judge | None) -> list[str]:
    """The numeric addresses of a host, of which the judge, if any, refused none.

    Raises:
        OSError: the name is unknown.
    """
    try:
        found = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM
        )
    except UnicodeError as exc:  # a label that is empty, or too long
        raise OSError(str(exc)) from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if judge is not None:
        for address in addresses:
            judge(ipaddress.ip_address(address), endpoint)
    return addresses


def leads_outside(address: Address) -> bool:
    """Whether the address, or the one it stands for, is public."""
    return is_public(_embedded(address) or address)


def is_public(address: Address) -> bool:
    """Global by the registries, which loopback and all private nets are not."""
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or (address.version == 6 and address.is_site_local)
        or address in METADATA_ADDRESSES
    )


def _embedded(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for: that one decides."""
    if address.version == 4:
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
