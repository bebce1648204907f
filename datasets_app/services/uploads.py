"""A file that somebody uploads: a draft to look at, which is started or dropped."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils.timezone import now

from datasets_app import formats
from datasets_app.jsonl import BadFile
from datasets_app.models import Dataset, ImportRun, Method, RunStatus
from datasets_app.services import runs
from datasets_app.services.datasets import settle_method
from datasets_app.services.errors import StorageFull, UnreadableFile
from teams_app import audit
from teams_app.models import Verb

DRAFT_DAYS = 7  # an upload that nobody started by then is forgotten


def store_upload(
    *, dataset: Dataset, file: Any, file_name: str, by: Any = None
) -> ImportRun:
    """A draft with what the file seems to be. Raises UnreadableFile, StorageFull."""
    found = recognise(file, file_name)
    run = ImportRun(
        dataset=dataset,
        file_name=Path(file_name).name[:255],
        status=RunStatus.DRAFT,
        format=_fitting(dataset, found.format),
        mapping=found.mapping,
        created_by=by,
    )
    store_file(run, file)
    return run


def recognise(file: Any, file_name: str) -> formats.Recognised:
    """Raises UnreadableFile."""
    try:
        return formats.recognise(getattr(file, "file", file), file_name)
    except BadFile as exc:
        raise UnreadableFile.because(exc.problem) from exc
    finally:
        file.seek(0)


def _fitting(dataset: Dataset, format: str) -> str:
    """Chats and tasks look alike where a task has its answer: the dataset decides."""
    is_chat = format == formats.CHAT and dataset.method == Method.REINFORCEMENT
    return formats.RFT if is_chat else format


def store_file(run: ImportRun, file: Any) -> None:
    """Keep the file and the run. Raises StorageFull."""
    try:
        run.file.save("import.jsonl", File(file), save=False)
    except OSError as exc:
        raise StorageFull.because(exc) from exc
    run.n_total = run.file.size
    run.save()


def start_upload(
    run: ImportRun,
    *,
    format: str,
    mapping: dict[str, str],
    by: Any = None,
    **choices: Any,
) -> bool:
    """Hand a draft to the workers; False if it is none any more. Raises OtherMethod."""
    with transaction.atomic():
        dataset = Dataset.objects.select_for_update().get(pk=run.dataset_id)
        settle_method(dataset, formats.method_of(format, mapping))
        is_started = runs.start(run, format=format, mapping=mapping, **choices)
        if is_started:
            names = {"file": run.file_name, "split": run.split}
            audit.record(Verb.IMPORTED, dataset, by=by, **names)
    return is_started


def drop_upload(run: ImportRun) -> None:
    """Forget a draft and its file; a run that was started meanwhile stays."""
    _drafts().filter(pk=run.pk).delete()


def drop_old_uploads() -> None:
    _drafts().filter(created_at__lt=now() - timedelta(days=DRAFT_DAYS)).delete()


def _drafts() -> Any:
    return ImportRun.objects.filter(status=RunStatus.DRAFT)
