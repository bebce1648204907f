"""Wake a worker for work that is already in the table."""

import logging
from functools import partial
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

# A person waits for the page; kombu's own patience is six seconds.
ONE_ATTEMPT = {"max_retries": 0, "socket_connect_timeout": 2}
log = logging.getLogger(__name__)


def ring(task: Any, pk: int) -> None:
    """Send `task(pk)` after the commit.

    A broker that is down costs the job one tick, not the person their request: the
    tick finds whatever rang unheard.
    """
    transaction.on_commit(partial(_send, task, pk))


def _send(task: Any, pk: int) -> None:
    try:
        with task.app.connection_for_write(transport_options=ONE_ATTEMPT) as broker:
            task.apply_async((pk,), connection=broker, retry=False)
    except OperationalError as exc:
        log.warning("%s(%d) rang unheard: %s", task.name, pk, exc)
