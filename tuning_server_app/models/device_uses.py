"""Who had the devices, and when: what a fair queue goes by."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.timezone import now

if TYPE_CHECKING:
    from tuning_server_app.models.jobs import TuningJob


class DeviceUse(models.Model):
    """The time of one attempt at a job; no end: the job is at it."""

    job = models.ForeignKey("tuning_server_app.TuningJob", on_delete=models.CASCADE)
    began_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=("ended_at",), name="device_use_by_end")]

    def __str__(self) -> str:
        return f"{self.job} from {self.began_at}"


def note_use(job: "TuningJob") -> None:
    """Of a job that begins to run, in the same transaction."""
    DeviceUse.objects.create(job=job)


def note_end_of_use(job: "TuningJob") -> None:
    """With the job's last heartbeat: a dead trainer is noticed late."""
    going_on = DeviceUse.objects.filter(job=job, ended_at=None)
    going_on.update(ended_at=job.heartbeat_at)
