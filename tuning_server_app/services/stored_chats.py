"""Chats kept because their client said `store: true`; for thirty days, as at OpenAI."""

import logging
from datetime import timedelta
from typing import Any

import orjson
from django.db.models import QuerySet
from django.utils.timezone import now

from tuning_server_app.chat_assembly import Assembly
from tuning_server_app.json_text import without_nul
from tuning_server_app.metadata import check_metadata
from tuning_server_app.models import Organization, StoredChat

logger = logging.getLogger(__name__)

LIFE = timedelta(days=30)


def chats_of(organization: Organization) -> QuerySet[StoredChat]:
    return StoredChat.objects.filter(
        organization=organization, created_at__gt=now() - LIFE
    )


def delete_old_chats() -> None:
    StoredChat.objects.filter(created_at__lte=now() - LIFE).delete()


class ChatRecord:
    """One chat on its way to the client, kept when its answer is whole."""

    def __init__(self, organization: Organization, body: dict[str, Any]) -> None:
        """Raises ApiError: the metadata in the body cannot be kept."""
        self._organization = organization
        self._messages = body["messages"]
        self._metadata = check_metadata(body.get("metadata"))
        self._assembly = Assembly()

    def keep(self, answer: bytes) -> None:
        """Keep an answer that came as a whole."""
        self._store(orjson.loads(answer))

    def feed(self, piece: bytes) -> None:
        """Take in a piece of a stream; its last one keeps the answer.

        A stream of another form than OpenAI's is not kept, and reaches its client.
        """
        try:
            completion = self._assembly.feed(piece)
            if completion is not None:
                self._store(completion)
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
            logger.exception("A streamed chat could not be kept.")

    def _store(self, answer: dict[str, Any]) -> None:
        completion = orjson.loads(without_nul(orjson.dumps(answer)))
        StoredChat.objects.update_or_create(
            organization=self._organization,
            wire_id=completion["id"],
            defaults={
                "model": completion["model"],
                "messages": self._messages,
                "completion": completion,
                "metadata": self._metadata,
            },
        )
