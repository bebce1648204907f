"""The site's Celery application at a provider that wants small parts."""

from dataclasses import replace
from typing import Any

from celery.signals import worker_init

from finetune_site.celery import app

__all__ = ["app"]
PART_BYTES = 20_000


@worker_init.connect
def _want_small_parts(**_kwargs: Any) -> None:
    from jobs_app.providers import PROFILES

    PROFILES["openai"] = replace(
        PROFILES["openai"], max_file_bytes=PART_BYTES, max_part_bytes=PART_BYTES
    )
