"""The first phase of a job: are its files fit to train on?"""

import time
from datetime import timedelta

from django.db.models import Q
from django.utils.timezone import now

from tuning_server_app import file_store
from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services.files import files_of
from tuning_server_app.services.jobs import fail_job
from tuning_server_app.training_files.checking import (
    FileRefused,
    Lines,
    check_training_file,
    check_validation_file,
)

# A worker that was silent for so long has died, and is replaced.
CLAIMED_FOR = timedelta(seconds=60)
BEAT_SECONDS = 10


def validate_files(job: TuningJob) -> None:
    """Check the job's files; harmless to call twice, even at once."""
    if not _claim(job):
        return
    try:
        _check_content(job, job.training_file, "training_file")
        if job.validation_file:
            _check_content(job, job.validation_file, "validation_file")
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


class _Watched:
    """A file that is read for minutes: the job's heart beats all the while."""

    def __init__(self, file: Lines, job: TuningJob) -> None:
        self._file = file
        self._reading = TuningJob.objects.filter(
            pk=job.pk, status=JobStatus.VALIDATING_FILES
        )
        self._beat_at = time.monotonic()

    def readline(self, limit: int = -1) -> bytes:
        if time.monotonic() - self._beat_at > BEAT_SECONDS:
            self._beat_at = time.monotonic()
            if not self._reading.update(heartbeat_at=now()):
                raise _NoLongerWanted
        return self._file.readline(limit)


class _FileAtFault(Exception):
    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "param": param}


def _check_content(job: TuningJob, file_id: str, param: str) -> None:
    check = check_training_file if param == "training_file" else check_validation_file
    file = files_of(job.organization).filter(wire_id=file_id).first()
    try:
        if file is None:
            raise FileNotFoundError
        with file_store.path_of(file.blob).open("rb") as content:
            check(_Watched(content, job), job.method)
    except FileRefused as refusal:
        raise _FileAtFault(refusal.code, refusal.message, param) from refusal
    except FileNotFoundError as error:
        raise _FileAtFault(
            f"invalid_{param}",
            f"The file {file_id} was deleted before the training began. Upload it again"
            " and start a new job.",
            param,
        ) from error
