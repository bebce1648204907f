"""The files of a check: as few rows as every provider takes, about nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from datasets_app.chat_format import MINIMUM_ROWS
from jobs_app.models import ProviderCheck
from jobs_app.providers import OutgoingFile
from jobs_app.services.compatibility.walk import Walk

SUPERVISED = "supervised"
DPO = "dpo"


def name_of(check: ProviderCheck, method: str) -> str:
    """Carries the check's key, so the file is found again whoever died meanwhile."""
    return f"check-{check.key}-{method}.jsonl"


def content(method: str) -> bytes:
    rows = [_row(method, number) for number in range(1, MINIMUM_ROWS + 1)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _row(method: str, number: int) -> dict[str, Any]:
    question = {"role": "user", "content": f"What comes after {number}?"}
    right = {"role": "assistant", "content": str(number + 1)}
    wrong = {"role": "assistant", "content": str(number - 1)}
    if method == SUPERVISED:
        return {"messages": [question, right]}
    return {
        "input": {"messages": [question]},
        "preferred_output": [right],
        "non_preferred_output": [wrong],
    }


def arrived_or_sent(walk: Walk, method: str) -> str:
    """The file's id at the provider, where it may have arrived unheard."""
    if arrived := files_named(walk, name_of(walk.check, method)):
        return arrived[0]
    with outgoing(walk, method) as file:
        return walk.client.upload(file)


def files_named(walk: Walk, name: str) -> list[str]:
    return [file.id for file in walk.client.files() if file.name == name]


@contextmanager
def outgoing(walk: Walk, method: str) -> Iterator[OutgoingFile]:
    with NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(content(method))
        file.flush()
        profile = walk.client.profile
        yield OutgoingFile(
            path=Path(file.name),
            name=name_of(walk.check, method),
            part_bytes=profile.max_part_bytes,
            prefix=profile.file_prefix,
        )
