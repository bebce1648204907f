"""What a client says about a file: what it is for, and how long it shall live."""

from tuning_server_app.errors import invalid
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
