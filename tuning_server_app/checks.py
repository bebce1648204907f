"""Django system checks for the settings of the tuning server."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from tuning_server_app.base_models import BaseModelMissing, find_weights, hub_place
from tuning_server_app.services.tuned_models import aliases, base_models

# Colons separate the parts of a tuned model's name; it must fit a database column.
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,149}")
TUNED = "ft:"
# The kernel's limit for a unix socket's path (sun_path, with the NUL at its end).
LONGEST_SOCKET_PATH = 107


@register
def check_tuning_server(**_options: Any) -> list[CheckMessage]:
    if not settings.TUNING_SERVER:
        return []
    return [*_base_models(), *_aliases(), *_socket(), *_other_engine()]


def _base_models() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, base in base_models().items():
        if not MODEL_NAME.fullmatch(name):
            found.append(
                Error(
                    f"TUNING_SERVER_BASE_MODELS has the name {name!r}.",
                    hint="Use letters, digits and . _ / - only, 150 at most.",
                    id="tuning_server.E002",
                )
            )
            continue
        try:
            find_weights(base)
        except BaseModelMissing as error:
            if hub_place(settings.TUNING_SERVER_BASE_MODELS[name]) is not None:
                found.append(_not_downloaded(name))
                continue
            found.append(
                Error(
                    str(error),
                    hint="Correct TUNING_SERVER_BASE_MODELS, or set TUNING_SERVER to"
                    " False to go without the built-in server.",
                    id="tuning_server.E001",
                )
            )
    return found


def _not_downloaded(name: str) -> CheckMessage:
    """No error: it would stop the very command that downloads it."""
    return Warning(
        f"The base model {name} is not on this machine yet.",
        hint="Download it with ./manage.py fetch_base_models; ./run does so, too.",
        id="tuning_server.W001",
    )


def _aliases() -> list[CheckMessage]:
    bases = base_models()
    found: list[CheckMessage] = []
    for name, target in aliases().items():
        if name in bases:
            problem, hint = "that is a base model's own name", "Choose another alias."
        elif target not in bases and not target.startswith(TUNED):
            problem = f"there is no model {target!r} here"
            hint = f"Map it to one of: {', '.join(bases)}; or to a tuned model, ft:…"
        else:
            continue
        text = f"TUNING_SERVER_MODEL_ALIASES has the alias {name!r}, but {problem}."
        found.append(Error(text, hint=hint, id="tuning_server.E004"))
    return found


def _socket() -> list[CheckMessage]:
    path = Path(settings.INFERENCE_SOCKET)
    if len(bytes(path)) <= LONGEST_SOCKET_PATH:
        return []
    return [
        Error(
            f"The path of the inference socket is too long for the system: {path}",
            hint=f"Set FINETUNE_SITE_VAR to a shorter path: the socket's may have"
            f" {LONGEST_SOCKET_PATH} bytes.",
            id="tuning_server.E003",
        )
    ]


def _other_engine() -> list[CheckMessage]:
    url = settings.TUNING_SERVER_INFERENCE_URL
    if not url or _is_web_address(url):
        return []
    return [
        Error(
            f"TUNING_SERVER_INFERENCE_URL is {url!r}, which is no address.",
            hint="Write it as http://host:port or https://host:port.",
            id="tuning_server.E005",
        )
    ]


def _is_web_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in ("http", "https") and bool(
            address.hostname and address.port != 0
        )
    except ValueError:  # the port is no number
        return False
