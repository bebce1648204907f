"""Random identifiers in the forms that the OpenAI API uses."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def _random(length: int = 24) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def file_id() -> str:
    return f"file-{_random()}"


def job_id() -> str:
    return f"ftjob-{_random()}"


def event_id() -> str:
    return f"ftevent-{_random()}"


def checkpoint_id() -> str:
    return f"ftckpt_{_random()}"


def upload_id() -> str:
    return f"upload_{_random()}"


def part_id() -> str:
    return f"part_{_random()}"


def permission_id() -> str:
    return f"cp_{_random()}"


def webhook_event_id() -> str:
    return f"evt_{_random()}"


def message_id() -> str:
    return f"wh_{_random()}"


def request_id() -> str:
    return f"req_{_random(32)}"


def secret_key() -> str:
    return f"sk-{_random(48)}"
