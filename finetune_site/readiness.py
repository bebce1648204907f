"""What the whole site needs to serve."""

from finetune_site import health
from jobs_app.services import broker


def _broker() -> str:
    return health.OK if broker.answers() else "does not answer"


CHECKS = {"database": health.database, "broker": _broker}
