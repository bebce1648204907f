"""Imports for tests: `run(bytes, **options)` is one that has ended."""

import io
from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from datasets_app import services
from datasets_app.models import ImportRun, Split
from datasets_app.services import runs
from tests.factories import make_dataset


def start(data: bytes, **options: Any) -> ImportRun:
    return services.start_import(
        dataset=options.pop("dataset", None) or make_dataset(),
        file=io.BytesIO(data),
        file_name=options.pop("file_name", "rows.jsonl"),
        split=options.pop("split", Split.TRAIN),
        **options,
    )


def run(data: bytes, **options: Any) -> ImportRun:
    started = start(data, **options)
    services.run_import(started)
    started.refresh_from_db()
    return started


def counts(done: ImportRun) -> tuple[int, int, int, int]:
    return done.n_read, done.n_added, done.n_invalid, done.n_duplicate


def revived(started: ImportRun) -> ImportRun:
    """The import as the tick finds it, a while after its process died."""
    long_ago = now() - timedelta(seconds=runs.STALE_SECONDS + 1)
    ImportRun.objects.filter(pk=started.pk).update(heartbeat_at=long_ago)
    return runs.waiting(ImportRun).get(pk=started.pk)
