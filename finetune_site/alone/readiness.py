"""What the tuning server needs to serve and to train."""

from finetune_site import celery_app, health
from finetune_site.celery import ONE_ATTEMPT


def _broker() -> str:
    connection = celery_app.connection_for_read(transport_options=ONE_ATTEMPT)
    try:
        with connection:
            connection.connect()
    except connection.connection_errors:
        return "does not answer"
    return health.OK


CHECKS = {"database": health.database, "broker": _broker}
