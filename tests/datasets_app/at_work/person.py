"""What people do and see while workers work: a process that answers on its stdout.

A line on stdin is `[function, {arguments}]` in JSON, and so is the line that answers.
"""

import hashlib
import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.db.models import Count  # noqa: E402

from datasets_app import services, tasks  # noqa: E402
from datasets_app.models import (  # noqa: E402
    BulkEdit,
    BulkKind,
    Dataset,
    DatasetVersion,
    Example,
    ExampleFeatures,
    ExampleRevision,
    Finding,
    ImportRun,
    OnDuplicate,
    Split,
)
from datasets_app.services import bulk_edits, checks, import_undo  # noqa: E402
from tests.factories import chat_line, make_dataset  # noqa: E402

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PATIENCE_SECONDS = 60


def numbers(n: int) -> Iterator[int]:
    """Every tenth row comes twice, so that there is something to find."""
    return (k - 1 if k % 10 == 0 else k for k in range(1, n + 1))


def lines(n: int) -> bytes:
    return b"".join(chat_line(f"Question {k}?", f"Answer {k}.") for k in numbers(n))


def sha256_of_lines(n: int, answer: str = "Answer") -> str:
    """What `rows` says of them."""
    texts = hashlib.sha256()
    for position, k in enumerate(numbers(n), start=1):
        texts.update(f"{position} Question {k}?\n{answer} {k}.\n".encode())
    return texts.hexdigest()


def _stored(n: int) -> ImportRun:
    return services.start_import(
        dataset=make_dataset(),
        file=io.BytesIO(lines(n)),
        file_name="rows.jsonl",
        split=Split.TRAIN,
        on_duplicate=OnDuplicate.ADD,
    )


def _imported(n: int) -> ImportRun:
    run = _stored(n)
    services.run_import(run)
    return run


def _filled(n: int) -> Dataset:
    return _imported(n).dataset


def new_import(n: int) -> list[Any]:
    run = _stored(n)
    tasks.run_import.delay(run.pk)
    return ["ImportRun", run.pk, run.dataset_id]


def new_freeze(n: int) -> list[Any]:
    run = services.start_freeze(dataset=_filled(n), by=None)
    tasks.run_freeze.delay(run.pk)
    return ["FreezeRun", run.pk, run.dataset_id]


def new_check(n: int) -> list[Any]:
    run = checks.request_check(_filled(n))
    tasks.run_check.delay(run.pk)
    return ["CheckRun", run.pk, run.dataset_id]


def _replacement(dataset: Dataset) -> BulkEdit:
    wanted = {"find": "Answer", "replace": "Reply", "fields": ["text"]}
    return bulk_edits.start_edit(
        dataset=dataset, kind=BulkKind.REPLACE, by=None, params=wanted
    )


def new_edit(n: int) -> list[Any]:
    edit = _replacement(_filled(n))
    tasks.run_bulk_edit.delay(edit.pk)
    return ["BulkEdit", edit.pk, edit.dataset_id]


def new_undo(n: int) -> list[Any]:
    edit = _replacement(_filled(n))
    bulk_edits.run_edit(edit)
    edit.refresh_from_db()
    undo = bulk_edits.undo_edit(edit, by=None)
    tasks.run_bulk_edit.delay(undo.pk)
    return ["BulkEdit", undo.pk, undo.dataset_id]


def new_undone_import(n: int) -> list[Any]:
    edit = import_undo.undo_import(_imported(n), by=None)
    tasks.run_bulk_edit.delay(edit.pk)
    return ["BulkEdit", edit.pk, edit.dataset_id]


def new_split(n: int) -> list[Any]:
    edit = bulk_edits.start_edit(
        dataset=_filled(n), kind=BulkKind.RESPLIT, by=None, params={"percent": 20}
    )
    tasks.run_bulk_edit.delay(edit.pk)
    return ["BulkEdit", edit.pk, edit.dataset_id]


def kill(model: str, pk: int, group: int, n_done: int = 1, delay: float = 0) -> bool:
    """All processes of a worker, once it has stored the first piece of the run.

    Was the run really in its middle? It is taken for dead afterwards.
    """
    kind, until = apps.get_model("datasets_app", model), time.monotonic()
    until += PATIENCE_SECONDS
    run = kind._default_manager.get(pk=pk)
    while run.n_done < n_done and run.is_open and time.monotonic() < until:
        time.sleep(0.002)
        run.refresh_from_db(fields=["n_done", "status"])
    time.sleep(delay)
    os.killpg(group, signal.SIGKILL)
    left_in_the_middle = kind._default_manager.filter(pk=pk, status="running")
    return bool(left_in_the_middle.update(heartbeat_at=LONG_AGO))


def tick() -> None:
    tasks.drive_runs.delay()


def state(model: str, pk: int) -> str:
    kind = apps.get_model("datasets_app", model)
    return str(kind._default_manager.get(pk=pk).status)


def rows(dataset: int) -> dict[str, Any]:
    """What is in the dataset, as far as two datasets of equal rows do not differ."""
    examples = Example.objects.filter(dataset=dataset).order_by("position")
    texts = hashlib.sha256()
    for position, text in examples.values_list("position", "text").iterator():
        texts.update(f"{position} {text}\n".encode())
    counted: Any = services.with_counts(Dataset.objects.filter(pk=dataset)).get()
    return {
        "n": examples.count(),
        "sha256": texts.hexdigest(),
        "is_counted_right": counted.n_examples == examples.count(),
        "n_draft": counted.n_draft,
        "in_bin": Example.with_deleted.filter(dataset=dataset)
        .exclude(deleted_at=None)
        .count(),
    }


def revisions(dataset: int) -> dict[str, int]:
    """By edit: how many, and how many rows they are of."""
    found = ExampleRevision.objects.filter(dataset=dataset).order_by()
    by_edit = found.values_list("bulk_edit").annotate(
        n=Count("pk"), rows=Count("example_pk", distinct=True)
    )
    return {str(edit): n for edit, n, n_rows in by_edit if n == n_rows}


def versions(dataset: int) -> list[Any]:
    """Of each: is its file what the manifest and the hash say, and how many rows."""
    found = DatasetVersion.objects.filter(dataset=dataset)
    return [[_is_whole(version), version.rows.count()] for version in found]


def _is_whole(version: DatasetVersion) -> bool:
    with version.training_file.open("rb") as file:
        data = file.read()
    digest = hashlib.sha256(data).hexdigest()
    starts = [row.offset for row in version.rows.order_by("line_number")]
    at_a_line = all(n == 0 or data[n - 1 : n] == b"\n" for n in starts)
    n_lines = data.count(b"\n")
    return at_a_line and (digest, n_lines) == (version.training_sha256, len(starts))


def files() -> list[str]:
    return sorted(default_storage.listdir("versions")[1])


def known_files() -> list[str]:
    names = DatasetVersion.objects.values_list("training_file", flat=True)
    return sorted(name.removeprefix("versions/") for name in names)


def found(dataset: int) -> dict[str, Any]:
    rows = Example.objects.filter(dataset=dataset)
    features = ExampleFeatures.objects.filter(dataset=dataset, is_compared=True)
    findings = Finding.objects.filter(dataset=dataset).order_by()
    return {
        "n_compared": features.count(),
        "codes": dict(findings.values_list("code").annotate(n=Count("pk"))),
        "n_counted": rows.filter(n_findings__gt=0).count(),
        "n_with": findings.values("example").distinct().count(),
    }


def parts(dataset: int) -> dict[str, int]:
    rows = Example.objects.filter(dataset=dataset).order_by()
    return dict(rows.values_list("split").annotate(n=Count("pk")))


def n_astride(dataset: int) -> int:
    """Groups of alike rows that are in both parts."""
    grouped = ExampleFeatures.objects.filter(
        dataset=dataset, near_group__isnull=False, example__deleted_at=None
    ).order_by()
    parts = grouped.values("near_group").annotate(
        n=Count("example__split", distinct=True)
    )
    return parts.filter(n=2).count()


def main() -> None:
    for line in sys.stdin:
        name, arguments = json.loads(line)
        sys.stdout.write(json.dumps(globals()[name](**arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
