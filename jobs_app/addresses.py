"""Which addresses this site may call on a user's word.

A base URL is checked twice: as text when it is typed, and as the numeric address it
resolves to at every connection, which then goes to that very address. So a name that
resolves to something else a moment later gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Clouds hand out credentials on these, although they look public.
METADATA_ADDRESSES = {
    ipaddress.ip_address("168.63.129.16"),  # Azure
    ipaddress.ip_address("192.0.0.192"),  # Oracle
}
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RefusedAddress(Exception):
    """The address breaks a rule; the text says which, and what to do."""


@dataclass(frozen=True)
class Endpoint:
    """Where a base URL leads."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def endpoint_of(base_url: str) -> Endpoint:
    """Take a base URL apart. Raises RefusedAddress if it is not a plain one."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
        httpx2.URL(base_url)  # who connects must be able to read it, too
    except (ValueError, httpx2.InvalidURL) as exc:
        raise RefusedAddress(
            _("The base URL cannot be read: %(why)s.") % {"why": exc}
        ) from exc
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RefusedAddress(_("The base URL must look like https://host/v1."))
    if "@" in parts.netloc:
        raise RefusedAddress(
            _("The base URL must hold no user name or password; use the key field.")
        )
    if parts.query or parts.fragment:
        raise RefusedAddress(_("The base URL must hold no “?” and no “#”."))
    default_port = 443 if parts.scheme == "https" else 80
    return Endpoint(parts.scheme, parts.hostname.rstrip("."), port or default_port)


def is_allowed_by_settings(endpoint: Endpoint) -> bool:
    return str(endpoint) in settings.PROVIDER_ALLOWED_HOSTS


def check_base_url(base_url: str) -> None:
    """Raise RefusedAddress unless the URL is https and names no private address.

    Names are only resolved at connection time; a numeric address is checked here.
    """
    endpoint = endpoint_of(base_url)
    if is_allowed_by_settings(endpoint):
        return
    if endpoint.scheme != "https":
        raise RefusedAddress(
            _(
                "The base URL must begin with https://, so that nobody on the way can "
                "read the key. For a server of your own, the administrator can add "
                "“%(host)s” to PROVIDER_ALLOWED_HOSTS."
            )
            % {"host": endpoint}
        )
    try:
        check_address(ipaddress.ip_address(endpoint.host), endpoint)
    except ValueError:
        return  # a name


def resolve(endpoint: Endpoint, *, is_trusted: bool) -> list[str]:
    """The numeric addresses of a host, of which none is private unless it is trusted.

    Raises:
        OSError: the name is unknown.
        RefusedAddress: one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM
        )
    except UnicodeError as exc:  # a label that is empty, or too long
        raise OSError(str(exc)) from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not is_trusted:
        for address in addresses:
            check_address(ipaddress.ip_address(address), endpoint)
    return addresses


def check_address(address: Address, endpoint: Endpoint) -> None:
    """Raise RefusedAddress if a public name or number leads into a private net."""
    if not all(is_public(each) for each in _embedded(address) or [address]):
        raise RefusedAddress(
            _(
                "%(host)s is at %(address)s, inside a private network, where providers "
                "may not be. If it is a server of your own, the administrator can add "
                "“%(host)s” to PROVIDER_ALLOWED_HOSTS."
            )
            % {"host": endpoint, "address": address}
        )


def is_public(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or (address.version == 6 and address.is_site_local)
        or address in METADATA_ADDRESSES
    )


def _embedded(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address stands for: they decide, not it."""
    if address.version == 4:
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in inner if each is not None]
