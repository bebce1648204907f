"""The broker, seen from outside: does it answer, and how much waits in it.

Asked directly: Celery's own connection tries again for seconds, and a person waits.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0
NO_ANSWER = (RedisError, OSError)


def answers() -> bool:
    try:
        with _client() as client:
            return bool(client.ping())
    except NO_ANSWER:
        return False


def queue_depths(names: Iterable[str]) -> dict[str, int]:
    """How many messages wait in each queue.

    Raises:
        NO_ANSWER: the broker does not answer.
    """
    with _client() as client:
        return {name: int(client.llen(name)) for name in names}


def _client() -> Redis:
    patience: dict[str, Any] = {
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "socket_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    if settings.REDIS_URL:
        return Redis.from_url(settings.REDIS_URL, **patience)
    return Redis(unix_socket_path=str(settings.BROKER_SOCKET), **patience)
