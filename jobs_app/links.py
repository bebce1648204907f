"""Addresses of the site's pages for those who read them elsewhere: mails, webhooks,
terminals."""

from urllib.parse import urljoin

from django.conf import settings

from jobs_app import kinds
from jobs_app.models import Provider


def full_address(path: str) -> str:
    """Of the site that runs: its port is not in every process's environment, but the
    built-in provider is always set to where the site answers."""
    if settings.SITE_URL:
        return urljoin(settings.SITE_URL, path)
    own = Provider.objects.filter(kind=kinds.BUILT_IN).first()
    running_at = own.base_url if own else f"http://127.0.0.1:{settings.SITE_PORT}"
    return urljoin(running_at, path)
