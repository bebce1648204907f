"""System checks of what can be wrong with the settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

# sun_path holds 108 bytes on Linux, 104 on macOS, the closing zero included.
LONGEST_SOCKET_PATH = 103


@register
def check_socket_paths(**_kwargs: Any) -> list[CheckMessage]:
    too_long = [
        str(path)
        for path in (settings.BROKER_SOCKET, settings.INFERENCE_SOCKET)
        if len(str(path).encode()) > LONGEST_SOCKET_PATH
    ]
    return [
        Error(
            f"The socket path {path} is longer than an operating system allows.",
            hint="Set FINETUNE_SITE_VAR to a folder with a shorter path.",
            id="finetune_site.E001",
        )
        for path in too_long
    ]


@register(deploy=True)
def check_shared_secret(**_kwargs: Any) -> list[CheckMessage]:
    shares_database = connection.vendor == "postgresql"
    if not shares_database or settings.SECRET_KEY_IS_SET:
        return []
    return [
        Warning(
            "The secret key comes from this machine's var/ folder.",
            hint="Give all machines of the installation the same SECRET_KEY: it "
            "signs sessions and encrypts the providers' keys.",
            id="finetune_site.W001",
        )
    ]
