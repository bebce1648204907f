"""The rows that a provider's words name, found in the version that it was given."""

import re
from dataclasses import dataclass
from typing import Any

from datasets_app.models import Example, Split, VersionRow
from jobs_app.models import FineTuningJob, JobStatus

# Providers number rows from 1: “Example 1273 cannot be parsed”, “Line 3: …”.
NAMED = re.compile(r"\b(?:example|line|row)s?[ #:]{1,3}(\d{1,9})\b", re.IGNORECASE)
MAX_ROWS = 10


@dataclass(frozen=True)
class NamedRow:
    """`example` is its id, where it still exists."""

    line_number: int
    split: str
    example: int | None


def rows_named(job: FineTuningJob) -> list[NamedRow]:
    """In the order of their lines; empty unless the job failed and rows are named."""
    error: dict[str, Any] = job.error
    numbers = {int(n) for n in NAMED.findall(str(error.get("message", "")))}
    if job.status != JobStatus.FAILED:
        return []
    split = _split_of(error)
    rows = VersionRow.objects.filter(
        version=job.dataset_version_id, split=split, line_number__in=numbers
    ).order_by("line_number")[:MAX_ROWS]
    found = list(rows)
    ids = [row.example_id for row in found]
    there = set(Example.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [
        NamedRow(r.line_number, split, r.example_id if r.example_id in there else None)
        for r in found
    ]


def _split_of(error: dict[str, Any]) -> str:
    told = f"{error.get('param', '')} {error.get('code', '')}".lower()
    return Split.VALIDATION if "validation" in told else Split.TRAIN
