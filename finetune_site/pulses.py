"""Beat, workers and trainers show that they live, whatever they are busy with.

The signs come from their main processes, so one whose every hand is at work for an
hour is not taken for dead.
"""

import logging
import time
from typing import Any

from celery.signals import beat_init, before_task_publish, worker_ready
from django.db import DatabaseError, connection

EVERY_SECONDS = 10.0
PROCESS_OF_QUEUE = {"celery": "worker", "training": "trainer"}
log = logging.getLogger(__name__)


class Signs:
    """The signs of life of this process."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._next_at = 0.0

    def show(self, **_kwargs: Any) -> None:
        """Called every few seconds; a busy database costs a sign, nothing else."""
        from jobs_app.services import beat

        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + EVERY_SECONDS
        try:
            for name in self.names:
                beat(name)
        except DatabaseError as exc:
            log.warning("could not note a sign of life: %s", exc)
        finally:
            if not connection.in_atomic_block:
                connection.close()  # children forked later must not inherit it


signs = Signs()


@worker_ready.connect
def follow_worker(sender: Any, **_kwargs: Any) -> None:
    queues = {queue.name for queue in sender.task_consumer.queues}
    signs.names = [PROCESS_OF_QUEUE[name] for name in queues & set(PROCESS_OF_QUEUE)]
    # Celery's own heartbeat is silent where nobody asked for events.
    sender.timer.call_repeatedly(EVERY_SECONDS / 2, signs.show)
    signs.show()


@beat_init.connect
def follow_beat(**_kwargs: Any) -> None:
    signs.names = ["beat"]
    before_task_publish.connect(signs.show)
