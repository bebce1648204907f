"""What a client says about a file: what it is for, and how long it shall live."""

from collections.abc import Mapping
from typing import Any

import orjson

from tuning_server_app.errors import invalid, refuse_unknown
from tuning_server_app.models import FilePurpose

MAX_FILENAME = 255
LIFE_SECONDS = range(3600, 2_592_000 + 1)


def check_purpose(purpose: object) -> None:
    """Raises ApiError unless the file is to train on."""
    if purpose != FilePurpose.FINE_TUNE:
        raise invalid(
            "This server keeps files of the purpose 'fine-tune' only,"
            f" not '{str(purpose)[:50]}'.",
            param="purpose",
        )


FORM_FIELDS = {
    *("purpose", "expires_after"),
    *("expires_after[anchor]", "expires_after[seconds]"),
}


def parse_file_form(form: Mapping[str, Any]) -> int | None:
    """How long the file shall live, in seconds; None if nothing was said.

    `expires_after` comes as two fields, as the openai client has it, or as one of JSON,
    which is what OpenAPI says of objects in forms.

    Raises:
        ApiError: a field is unknown or wrong, or the file is not to train on.
    """
    refuse_unknown(form, FORM_FIELDS)
    check_purpose(form.get("purpose"))
    if "expires_after" in form:
        return life_of(_json(form["expires_after"]))
    return life_seconds(
        form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    )


def life_of(expires_after: object) -> int | None:
    """The same of an object. Raises ApiError."""
    if expires_after is None:
        return None
    if not isinstance(expires_after, dict):
        raise invalid("expires_after must be an object.", param="expires_after")
    return life_seconds(expires_after.get("anchor", ""), expires_after.get("seconds"))


def _json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def life_seconds(anchor: object, seconds: object) -> int | None:
    """How long the file shall live after its creation; None if nothing was said.

    Args:
        seconds: a number in JSON, its digits in a form.
    Raises:
        ApiError
    """
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise invalid(
            "expires_after[anchor] must be created_at.", param="expires_after.anchor"
        )
    digits = "" if isinstance(seconds, bool) else str(seconds)[:9]
    if not (digits.isascii() and digits.isdigit() and int(digits) in LIFE_SECONDS):
        raise invalid(
            f"expires_after[seconds] must be from {LIFE_SECONDS[0]} to"
            f" {LIFE_SECONDS[-1]}.",
            param="expires_after.seconds",
        )
    return int(digits)
