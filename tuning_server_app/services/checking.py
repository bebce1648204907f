"""The first phase of a job: are its files fit to train on?"""

import time
from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from tuning_server_app import file_store
from tuning_server_app.models import EventLevel, JobStatus, TuningJob
from tuning_server_app.services.files import files_of
from tuning_server_app.services.jobs import fail_job
from tuning_server_app.services.tokenizers import reader_of
from tuning_server_app.training_files.checking import (
    Checked,
    check_training_file,
    check_validation_file,
)
from tuning_server_app.training_files.fitting import BaseModelReader
from tuning_server_app.training_files.lines import FileRefused, Lines

# A worker that was silent for so long has died, and is replaced.
CLAIMED_FOR = timedelta(seconds=60)
BEAT_SECONDS = 10


def validate_files(job: TuningJob) -> None:
    """Check the job's files; harmless to call twice, even at once."""
    if not _claim(job):
        return
    heart = _Heart(job)
    try:
        reader = reader_of(job.base_model, heart.beat)
        _check_content(job, "training_file", reader, heart)
        if job.validation_file:
            _check_content(job, "validation_file", reader, heart)
    except _FileAtFault as fault:
        fail_job(job, **fault.error)
    except _NoLongerWanted:
        return
    else:
        job.move_to(JobStatus.QUEUED, "Files validated, moving job to queued state")


def _claim(job: TuningJob) -> bool:
    untouched = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now() - CLAIMED_FOR)
    return bool(
        TuningJob.objects.filter(
            untouched, pk=job.pk, status=JobStatus.VALIDATING_FILES
        ).update(heartbeat_at=now())
    )


class _NoLongerWanted(Exception):
    """The job was cancelled while its files were read."""


class _Heart:
    """Of a job whose files are read for minutes."""

    def __init__(self, job: TuningJob) -> None:
        self._reading = TuningJob.objects.filter(
            pk=job.pk, status=JobStatus.VALIDATING_FILES
        )
        self._beat_at = time.monotonic()

    def beat(self) -> None:
        """Called more often than it needs to beat. Raises _NoLongerWanted."""
        if time.monotonic() - self._beat_at > BEAT_SECONDS:
            self._beat_at = time.monotonic()
            if not self._reading.update(heartbeat_at=now()):
                raise _NoLongerWanted


class _Watched:
    """A file, with a heart that beats while it is read."""

    def __init__(self, file: Lines, heart: _Heart) -> None:
        self._file = file
        self._heart = heart

    def readline(self, limit: int = -1) -> bytes:
        self._heart.beat()
        return self._file.readline(limit)


class _FileAtFault(Exception):
    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "param": param}


def _check_content(
    job: TuningJob, param: str, reader: BaseModelReader | None, heart: _Heart
) -> None:
    check = check_training_file if param == "training_file" else check_validation_file
    file_id = getattr(job, param)
    file = files_of(job.organization).filter(wire_id=file_id).first()
    try:
        if file is None:
            raise FileNotFoundError
        with file_store.path_of(file.blob).open("rb") as content:
            checked = check(_Watched(content, heart), job.method, reader)
    except FileRefused as refusal:
        raise _FileAtFault(refusal.code, refusal.message, param) from refusal
    except FileNotFoundError as error:
        raise _FileAtFault(
            f"invalid_{param}",
            f"The file {file_id} was deleted before the training began. Upload it again"
            " and start a new job.",
            param,
        ) from error
    _tell_of_cuts(job, param, checked, reader)


def _tell_of_cuts(
    job: TuningJob, param: str, checked: Checked, reader: BaseModelReader | None
) -> None:
    """OpenAI cuts too long examples as well, but says nothing of it."""
    if reader is None:
        return
    limit = f"the {reader.max_tokens} tokens that {job.base_model} reads"
    longer = f"of the {param} are longer than {limit}"
    if checked.cut.n:
        job.events.create(
            level=EventLevel.WARN,
            message=f"Some examples {longer}: {checked.cut}. They are cut at their end,"
            " and what is cut is not learnt",
        )
    if checked.left_out.n:
        job.events.create(
            level=EventLevel.WARN,
            message=f"Some examples {longer} even before their answer begins:"
            f" {checked.left_out}. Nothing of them is learnt",
        )
