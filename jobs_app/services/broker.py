"""The broker, seen from outside: does it answer, and how much waits in it."""

from collections.abc import Iterable
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

# A person waits for the page; kombu's own patience is longer.
ONE_ATTEMPT = {
    "max_retries": 0,
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
}
NO_ANSWER = (OperationalError, RedisError, OSError)


def answers() -> bool:
    try:
        _ask(lambda client: client.ping())
    except NO_ANSWER:
        return False
    return True


def queue_depths(names: Iterable[str]) -> dict[str, int]:
    """How many messages wait in each queue.

    Raises:
        NO_ANSWER: the broker does not answer.
    """
    return _ask(lambda client: {name: int(client.llen(name)) for name in names})


def _ask(question: Any) -> Any:
    connection = current_app.connection_for_read(transport_options=ONE_ATTEMPT)
    with connection, connection.channel() as channel:
        return question(channel.client)
