"""System checks of what can be wrong with the settings of providers."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s/:@\[\]]+):\d{1,5}")


@register
def check_allowed_hosts(**_kwargs: Any) -> list[CheckMessage]:
    wrong = [
        entry
        for entry in settings.PROVIDER_ALLOWED_HOSTS
        if not HOST_AND_PORT.fullmatch(entry)
    ]
    return [
        Error(
            f"PROVIDER_ALLOWED_HOSTS has the entry “{entry}”, which allows nothing.",
            hint="Write host:port without https:// and path, such as 10.0.0.5:8000.",
            id="jobs.E001",
        )
        for entry in wrong
    ]
