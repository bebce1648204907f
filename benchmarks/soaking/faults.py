"""What goes wrong at the provider of a soak: single answers, and its manners."""

import random
from collections import Counter
from typing import Any

from tests.jobs_app.faulty_provider import FaultyProvider

# Longer than the workers' patience; see `impatient`.
HANG = {"seconds": 5}
ANSWERS: list[tuple[str, dict[str, Any]]] = [
    ("drop", {}),
    ("accept_then_drop", {}),
    ("server_error", {}),
    ("accept_then_server_error", {}),
    ("rate_limit", {}),
    ("rate_limit", {"retry_after": "2"}),
    ("forbidden", {"code": "training_not_available"}),
    ("forbidden", {"code": "unsupported_country_region_territory"}),
    ("hang", HANG),
    ("accept_then_hang", HANG),
    ("truncated_json", {}),
    ("cut_off", {}),
    ("web_page", {}),
    ("accept_then_web_page", {}),
    ("odd_content_type", {}),
]
AT = [
    "upload_file",
    "create_upload",
    "add_part",
    "complete_upload",
    "show_file",
    "list_files",
    "create_job",
    "create_job",
    "create_job",
    "list_jobs",
    "list_jobs",
    "show_job",
    "cancel_job",
    "list_events",
    "list_checkpoints",
]
# The first of each is how a well-behaved provider is.
MANNERS: dict[str, tuple[Any, ...]] = {
    "unlisted_seconds": (0, 1, 5),
    "repeats_items": (False, True),
    "always_has_more": (False, True),
    "ignores_after": (False, False, True),  # and so has more without an end
    "has_metadata_filter": (True, False),
    "clock_skew_seconds": (0, -300, 300),
    "processing_seconds": (0, 2),
}


def go_wrong_once(
    faulty: FaultyProvider, chance: random.Random, told: Counter[str]
) -> None:
    """The next request of some operation is answered badly; or a manner changes."""
    if chance.random() < 0.2:
        name = chance.choice(sorted(MANNERS))
        setattr(faulty, name, chance.choice(MANNERS[name]))
        told["change of manners"] += 1
        return
    kind, arguments = chance.choice(ANSWERS)
    operation = chance.choice(AT)
    if kind == "forbidden" and chance.random() < 0.9:
        return  # a clear no ends a launch, and most should live
    faulty.fails(operation, kind, **arguments)
    told[kind] += 1


def be_well(faulty: FaultyProvider) -> None:
    faulty.faults.clear()
    for name, choices in MANNERS.items():
        setattr(faulty, name, choices[0])
