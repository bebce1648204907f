"""The Celery application: `celery -A finetune_site worker|beat`."""

import logging
import os
from functools import partial
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from django.db import transaction
from kombu.exceptions import OperationalError
from kombu.transport.redis import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finetune_site.settings")

# The table is the queue, so what a worker had fetched and not begun needs no way back.
# When the broker has died, kombu's attempt to bring it back would end the worker.
QoS.restore_at_shutdown = False

# A person waits for the page; kombu's own patience is six seconds.
ONE_ATTEMPT = {"max_retries": 0, "socket_connect_timeout": 2}
log = logging.getLogger(__name__)


class RingingTask(DjangoTask):
    """A task whose `delay_on_commit` never costs a person their request.

    The row is committed and the tick finds whatever rang unheard, so a broker that is
    down costs one tick.
    """

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        transaction.on_commit(partial(self._ring, args, kwargs))

    def _ring(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        connect = self.app.connection_for_write
        try:
            with connect(transport_options=ONE_ATTEMPT) as broker:
                self.apply_async(args, kwargs=kwargs, connection=broker, retry=False)
        except OperationalError as exc:
            log.warning("%s%r rang unheard: %s", self.name, args, exc)


app = Celery("finetune_site", task_cls=RingingTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
