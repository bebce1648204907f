"""The site's Celery application in a hurry, so that a soak of minutes sees everything:
time-outs of seconds, short claims, a short look for lost answers, uploads in parts."""

from dataclasses import replace
from typing import Any

from celery.signals import worker_init

from finetune_site.celery import app

__all__ = ["app"]
READ_SECONDS = 3.0
LOOK_SECONDS = 60.0
CLAIM_SECONDS, MARGIN_SECONDS, RENEW_SECONDS = 6.0, 1.5, 1.0
PART_BYTES = 20_000


@worker_init.connect
def _hurry(**_kwargs: Any) -> None:
    from jobs_app.providers import PROFILES, network
    from jobs_app.services import claiming, recognising

    network.READ_SECONDS = READ_SECONDS
    recognising.LOOK_SECONDS = LOOK_SECONDS
    claiming.CLAIM_SECONDS = CLAIM_SECONDS
    claiming.MARGIN_SECONDS = MARGIN_SECONDS
    claiming.RENEW_SECONDS = RENEW_SECONDS
    PROFILES["openai"] = replace(
        PROFILES["openai"], max_file_bytes=PART_BYTES, max_part_bytes=PART_BYTES
    )
