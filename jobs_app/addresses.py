"""Which base URLs this site may call on a user's word.

A base URL is checked twice: as text when it is typed, and as the numeric address it
resolves to at every connection, which then goes to that very address.
"""

from urllib.parse import SplitResult

from django.conf import settings
from django.utils.translation import gettext as _

from guarded_calls.addresses import (
    Address,
    Endpoint,
    Fault,
    FaultyUrl,
    check_public,
    leads_outside,
    read_url,
)


class RefusedAddress(Exception):
    """The address breaks a rule; the text says which, and what to do."""


def endpoint_of(base_url: str) -> Endpoint:
    """Take a base URL apart. Raises RefusedAddress if it is not a plain one."""
    endpoint, parts = _read(base_url)
    if parts.query or parts.fragment:
        raise RefusedAddress(_("The base URL must hold no “?” and no “#”."))
    return endpoint


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
        check_public(endpoint)
    except FaultyUrl as exc:
        raise _inside(endpoint, endpoint.host) from exc


def check_address(address: Address, endpoint: Endpoint) -> None:
    """Raise RefusedAddress if a public name or number leads into a private net."""
    if not leads_outside(address):
        raise _inside(endpoint, str(address))


def _read(base_url: str) -> tuple[Endpoint, SplitResult]:
    try:
        return read_url(base_url)
    except FaultyUrl as exc:
        text = {
            Fault.UNREADABLE: _("The base URL cannot be read: %(why)s."),
            Fault.NOT_HTTP: _("The base URL must look like https://host/v1."),
            Fault.CREDENTIALS: _(
                "The base URL must hold no user name or password; use the key field."
            ),
        }[exc.fault]
        raise RefusedAddress(text % {"why": exc.__cause__}) from exc


def _inside(endpoint: Endpoint, address: str) -> RefusedAddress:
    return RefusedAddress(
        _(
            "%(host)s is at %(address)s, inside a private network, where providers "
            "may not be. If it is a server of your own, the administrator can add "
            "“%(host)s” to PROVIDER_ALLOWED_HOSTS."
        )
        % {"host": endpoint, "address": address}
    )
