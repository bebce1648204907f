"""Carrying weights away: files whose content is made after their rows.

The adapter is packed as soon as its job has succeeded. The merged model, as large as
its base, is made when somebody asks for it, and dropped when nobody has for a week.
"""

import logging
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from tuning_server_app import file_store, merge_process
from tuning_server_app.archives import Archive
from tuning_server_app.errors import ApiError
from tuning_server_app.file_store import Draft
from tuning_server_app.merge_process import NotMerged
from tuning_server_app.models import (
    Export,
    ExportKind,
    ExportState,
    File,
    FilePurpose,
    FileStatus,
    TunedModel,
    TuningJob,
)
from tuning_server_app.services.tuned_models import base_models, runs_folder
from tuning_server_app.worker_life import WorkerEnding, WorkerLife

logger = logging.getLogger(__name__)

S = ExportState
HEART_STOPPED_AFTER = timedelta(seconds=60)
BEAT_SECONDS = 1.0
KEPT = timedelta(days=7)
USE_NOTED_EVERY = timedelta(hours=1)
# Until when a client had better not ask again.
RETRY_SECONDS = {ExportKind.ADAPTER: 2, ExportKind.MERGED: 10}
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


class ExportLost(Exception):
    """It was given to another worker, or its file was deleted: stop working on it."""


def offer(model: TunedModel) -> None:
    """The files of a new model, in the transaction that makes it."""
    adapter = _create(model, ExportKind.ADAPTER, S.WANTED)
    merged = _create(model, ExportKind.MERGED, S.UNASKED)
    model.job.events.create(
        message=f"The weights can be downloaded: {adapter.wire_id} is the adapter,"
        f" {merged.wire_id} the whole model, which is merged when it is asked for",
        data={"adapter_file": adapter.wire_id, "merged_file": merged.wire_id},
    )


def ask_for(file: File) -> Export | None:
    """The export to be made for this file, which is wanted now; None if the content is
    there.

    Raises:
        ApiError: it could not be made; who asks once more has it tried again.
    """
    export = Export.objects.filter(file=file).first()
    if export is None:
        return None
    if export.state == S.READY:
        _note_use(export)
        return None
    if export.tuned_model_id is None:
        raise ApiError(404, f"The model of {file} was deleted, and its weights too.")
    if export.state == S.FAILED:
        _move(export, S.UNASKED, file={"status": FileStatus.UPLOADED})
        raise ApiError(507, export.problem, code="weights_not_made", should_retry=False)
    if export.state == S.UNASKED:
        _move(export, S.WANTED)
    return export


def not_yet(export: Export) -> ApiError:
    return ApiError(
        409,
        f"The server is making {export.file.filename}. Ask again in a moment: the"
        f" status of {export.file.wire_id} is 'processed' when it is done.",
        code="weights_not_ready",
        should_retry=True,
    )


def wanted() -> QuerySet[Export]:
    return Export.objects.filter(state=S.WANTED).order_by("pk")


def give_back_lost() -> None:
    """What a worker was making that died is wanted again."""
    lost = Q(heartbeat_at__lt=now() - HEART_STOPPED_AFTER)
    Export.objects.filter(lost, state=S.MAKING).update(state=S.WANTED)


def drop_unused() -> None:
    """Merged models are large, and can be made again."""
    unused = Export.objects.filter(
        state=S.READY, kind=ExportKind.MERGED, used_at__lt=now() - KEPT
    ).exclude(tuned_model=None)
    for export in unused.select_related("file"):
        if _move(export, S.UNASKED, file=_no_content()):
            file_store.remove(export.file.blob)


def make(export: Export) -> None:
    """Make the file, unless another worker does; the rows know how it ended."""
    if _is_merging_besides(export) or not _move(export, S.MAKING, heartbeat_at=now()):
        return
    if _is_merging_besides(export):  # both began in this moment
        _move(export, S.WANTED)
        return
    draft = Draft()
    try:
        with WorkerLife() as worker:
            _write(export, draft, worker)
        _keep(export, draft)
    except ExportLost:
        logger.info("%s is no longer ours.", export)
    except WorkerEnding:
        _move(export, S.WANTED)
    except NotMerged as problem:
        _fail(export, str(problem))
    except OSError as error:
        logger.exception("%s could not be written.", export)
        _fail(
            export,
            f"The server could not write the file ({error.strerror}). Its operator must"
            " look at the disk; then ask for the file again.",
        )
    finally:
        draft.discard()


def _write(export: Export, draft: Draft, worker: WorkerLife) -> None:
    model = export.tuned_model
    if model is None:
        raise NotMerged("The model was deleted, and its weights too.")
    name = Path(export.file.filename).stem
    with Archive(draft, name) as archive:
        if export.kind == ExportKind.ADAPTER:
            _add_adapter(archive, model)
        else:
            _add_merged(archive, model, export, worker)


def _add_adapter(archive: Archive, model: TunedModel) -> None:
    folder = runs_folder() / model.adapter
    config = orjson.loads((folder / ADAPTER_CONFIG).read_bytes())
    config["base_model_name_or_path"] = model.base_model  # no path of this machine
    archive.add_bytes(ADAPTER_CONFIG, orjson.dumps(config, option=orjson.OPT_INDENT_2))
    archive.add_file(folder / ADAPTER_WEIGHTS)


def _add_merged(
    archive: Archive, model: TunedModel, export: Export, worker: WorkerLife
) -> None:
    base = base_models().get(model.base_model)
    if base is None:
        raise NotMerged(f"The base {model.base_model} is no longer on this server.")
    root = Path(settings.TUNING_SERVER_DIR) / "exports"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_leftovers(root, export)
    target = Path(tempfile.mkdtemp(prefix=f"{export.pk}-", dir=root))
    try:
        merge_process.merge(
            base,
            base_cache=Path(settings.TUNING_SERVER_DIR) / "base",
            adapter=runs_folder() / model.adapter,
            target=target,
            log_path=root / f"{export.pk}.log",
            keep_going=lambda: _keep_going(export, worker),
        )
        for path in sorted(target.iterdir()):
            archive.add_file(path, _now_and_then(lambda: _keep_going(export, worker)))
            path.unlink()  # so that the disk never holds all of it twice
            _keep_going(export, worker)
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _remove_leftovers(root: Path, export: Export) -> None:
    """Of a worker that was killed while it made the same."""
    for folder in root.glob(f"{export.pk}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _keep_going(export: Export, worker: WorkerLife) -> None:
    """Beat the heart. Raises ExportLost or WorkerEnding."""
    if worker.is_ending:
        raise WorkerEnding
    ours = Export.objects.filter(pk=export.pk, state=S.MAKING)
    if not ours.update(heartbeat_at=now()):
        raise ExportLost


def _now_and_then(act: Callable[[], None]) -> Callable[[], None]:
    last = time.monotonic()

    def maybe_act() -> None:
        nonlocal last
        if time.monotonic() - last > BEAT_SECONDS:
            last = time.monotonic()
            act()

    return maybe_act


def _keep(export: Export, draft: Draft) -> None:
    draft.keep()
    content = {
        "blob": draft.blob,
        "n_bytes": draft.n_bytes,
        "sha256": draft.sha256,
        "status": FileStatus.PROCESSED,
    }
    if not _move(export, S.READY, file=content, used_at=now(), problem=""):
        file_store.remove(draft.blob)


def _fail(export: Export, problem: str) -> None:
    _move(export, S.FAILED, file={"status": FileStatus.ERROR}, problem=problem)


def _is_merging_besides(export: Export) -> bool:
    """One merge at a time: each takes as much memory as its model."""
    if export.kind != ExportKind.MERGED:
        return False
    alive = Q(heartbeat_at__gt=now() - HEART_STOPPED_AFTER)
    merging = Export.objects.filter(alive, state=S.MAKING, kind=ExportKind.MERGED)
    return merging.exclude(pk=export.pk).exists()


def _move(
    export: Export,
    state: ExportState,
    file: Mapping[str, object] | None = None,
    **fields: object,
) -> bool:
    """Change the state, unless another process did; the file's row follows."""
    with transaction.atomic():
        unmoved = Export.objects.filter(pk=export.pk, state=export.state)
        if not unmoved.update(state=state, **fields):
            return False
        if file is not None:
            File.objects.filter(pk=export.file_id).update(**file)
    export.state = state
    return True


def _note_use(export: Export) -> None:
    stale = Q(used_at__lt=now() - USE_NOTED_EVERY)
    Export.objects.filter(stale, pk=export.pk).update(used_at=now())


def _no_content() -> dict[str, Any]:
    """Of a file's row; `blob` is a name that no file has."""
    return {
        "blob": uuid.uuid4().hex,
        "n_bytes": 0,
        "sha256": "",
        "status": FileStatus.UPLOADED,
    }


def _create(model: TunedModel, kind: ExportKind, state: ExportState) -> File:
    job: TuningJob = model.job
    file = File.objects.create(
        organization=model.organization,
        purpose=FilePurpose.FINE_TUNE_RESULTS,
        filename=f"{job.wire_id}-{kind}.tar",
        **_no_content(),
    )
    Export.objects.create(file=file, tuned_model=model, kind=kind, state=state)
    return file
