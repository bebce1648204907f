"""When to try again after a provider could not be reached."""

import random
from datetime import datetime, timedelta

from django.utils.timezone import now

from jobs_app.providers import ProviderError

FIRST_SECONDS = 5.0
MAX_SECONDS = 600.0


def try_again_at(n_failures: int, exc: ProviderError) -> datetime:
    """Twice as long after each failure, never sooner than the provider asks for.

    The jitter keeps jobs that failed together from coming back together.
    """
    seconds = min(MAX_SECONDS, FIRST_SECONDS * 2 ** min(n_failures, 10))
    seconds *= random.uniform(0.75, 1.0)  # noqa: S311 no secret
    return now() + timedelta(seconds=max(seconds, exc.retry_after or 0))
