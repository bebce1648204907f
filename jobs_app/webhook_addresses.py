"""Where a webhook may lead: https and public, as a provider must, unless the settings
name it. Not the providers' own exceptions: those hosts take orders from this site."""

from django.conf import settings
from django.utils.translation import gettext as _

from guarded_calls import addresses
from guarded_calls.addresses import Address, Endpoint, Fault, FaultyUrl, leads_outside
from jobs_app.addresses import RefusedAddress


def is_allowed_by_settings(endpoint: Endpoint) -> bool:
    return str(endpoint) in settings.WEBHOOK_ALLOWED_HOSTS


def check_webhook_url(url: str) -> Endpoint:
    """Raise RefusedAddress unless it is https and names no private address.

    Names are only resolved when something is sent; a numeric address is checked here.
    """
    try:
        return addresses.check_webhook_url(url, settings.WEBHOOK_ALLOWED_HOSTS)
    except FaultyUrl as exc:
        raise RefusedAddress(_words(exc)) from exc


def refuse_inside(address: Address, endpoint: Endpoint) -> None:
    """Raise RefusedAddress, in a webhook's words, if a name leads inside."""
    if not leads_outside(address):
        raise RefusedAddress(_words(FaultyUrl(Fault.INSIDE, endpoint)))


def _words(fault: FaultyUrl) -> str:
    plain = _("The address must hold no user name, no password and no “#”.")
    text = {
        Fault.UNREADABLE: _("The address cannot be read."),
        Fault.NOT_HTTP: _("The address must look like https://host/path."),
        Fault.CREDENTIALS: plain,
        Fault.FRAGMENT: plain,
        Fault.NOT_HTTPS: _(
            "The address must begin with https://. For a server of your own, the "
            "administrator can add “%(host)s” to WEBHOOK_ALLOWED_HOSTS."
        ),
        Fault.INSIDE: _(
            "%(host)s is inside a private network, where webhooks may not lead. If it "
            "is a server of your own, the administrator can add “%(host)s” to "
            "WEBHOOK_ALLOWED_HOSTS."
        ),
    }[fault.fault]
    return text % {"host": fault.endpoint}
