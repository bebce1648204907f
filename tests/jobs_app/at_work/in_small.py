"""The site's Celery application in small: small parts, and claims of two seconds."""

from dataclasses import replace
from typing import Any

from celery.signals import worker_init

from finetune_site.celery import app

__all__ = ["app"]
PART_BYTES = 20_000


@worker_init.connect
def _shrink(**_kwargs: Any) -> None:
    from jobs_app.providers import PROFILES
    from jobs_app.services import claiming

    PROFILES["openai"] = replace(
        PROFILES["openai"], max_file_bytes=PART_BYTES, max_part_bytes=PART_BYTES
    )
    claiming.CLAIM_SECONDS, claiming.MARGIN_SECONDS = 2.0, 0.5
    claiming.RENEW_SECONDS = 0.3
