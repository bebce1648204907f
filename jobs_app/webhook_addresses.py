"""Where a webhook may lead: https and public, as a provider must, unless the settings
name it. Not the providers' own exceptions: those hosts take orders from this site."""

import ipaddress
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from jobs_app.addresses import Endpoint, RefusedAddress, check_address


def webhook_endpoint(url: str) -> Endpoint:
    """Take the address apart. Raises RefusedAddress, which says what is wrong."""
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx2.URL(url)  # who connects must be able to read it, too
    except (ValueError, httpx2.InvalidURL) as exc:
        raise RefusedAddress(_("The address cannot be read.")) from exc
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RefusedAddress(_("The address must look like https://host/path."))
    if "@" in parts.netloc or parts.fragment:
        raise RefusedAddress(
            _("The address must hold no user name, no password and no “#”.")
        )
    default_port = 443 if parts.scheme == "https" else 80
    return Endpoint(parts.scheme, parts.hostname.rstrip("."), port or default_port)


def is_allowed_by_settings(endpoint: Endpoint) -> bool:
    return str(endpoint) in settings.WEBHOOK_ALLOWED_HOSTS


def check_webhook_url(url: str) -> Endpoint:
    """Raise RefusedAddress unless it is https and names no private address.

    Names are only resolved when something is sent; a numeric address is checked here.
    """
    endpoint = webhook_endpoint(url)
    if is_allowed_by_settings(endpoint):
        return endpoint
    if endpoint.scheme != "https":
        raise RefusedAddress(
            _(
                "The address must begin with https://. For a server of your own, the "
                "administrator can add “%(host)s” to WEBHOOK_ALLOWED_HOSTS."
            )
            % {"host": endpoint}
        )
    try:
        check_address(ipaddress.ip_address(endpoint.host), endpoint)
    except RefusedAddress as exc:
        raise RefusedAddress(inside_words(endpoint)) from exc
    except ValueError:
        return endpoint  # a name
    return endpoint


def inside_words(endpoint: Endpoint) -> str:
    return _(
        "%(host)s is inside a private network, where webhooks may not lead. If it is a "
        "server of your own, the administrator can add “%(host)s” to "
        "WEBHOOK_ALLOWED_HOSTS."
    ) % {"host": endpoint}
