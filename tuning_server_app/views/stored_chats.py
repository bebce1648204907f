"""/v1/chat/completions/…: the chats that were asked with `store: true`."""

from typing import Any

from django.http import HttpRequest

from tuning_server_app import wire
from tuning_server_app.errors import invalid, not_found
from tuning_server_app.metadata import check_metadata, filter_by_metadata
from tuning_server_app.models import StoredChat
from tuning_server_app.paging import cut_list, cut_page, read_limit, read_order
from tuning_server_app.services import stored_chats
from tuning_server_app.views.chat import ChatCompletions
from tuning_server_app.views.endpoint import Endpoint, read_json

NEWEST_FIRST = {"asc": False, "desc": True}


class Chats(ChatCompletions):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        # Questions may be long, and no list shows them.
        rows = stored_chats.chats_of(self.organization).defer("messages")
        if model := request.GET.get("model"):
            rows = rows.filter(model=model)
        found, has_more = cut_page(
            filter_by_metadata(rows, request.GET),
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=20, largest=100),
            newest_first=read_order(request.GET, NEWEST_FIRST, default="asc"),
        )
        return wire.page([wire.stored_chat(row) for row in found], has_more=has_more)


class StoredChatEndpoint(Endpoint):
    def find(self, completion_id: str) -> StoredChat:
        """The organization's chat.

        Raises:
            ApiError: it has kept none with this id.
        """
        rows = stored_chats.chats_of(self.organization)
        chat = rows.filter(wire_id=completion_id).first()
        if chat is None:
            raise not_found("stored chat completion", completion_id)
        return chat


class OneChat(StoredChatEndpoint):
    def get(self, request: HttpRequest, completion_id: str) -> dict[str, Any]:
        return wire.stored_chat(self.find(completion_id))

    def post(self, request: HttpRequest, completion_id: str) -> dict[str, Any]:
        chat = self.find(completion_id)
        body = read_json(request)
        if not isinstance(body, dict) or "metadata" not in body:
            raise invalid(
                "Missing required parameter: 'metadata', the one thing about a stored"
                " chat that can be changed.",
                param="metadata",
                code="missing_required_parameter",
            )
        chat.metadata = check_metadata(body["metadata"])
        chat.save(update_fields=["metadata"])
        return wire.stored_chat(chat)

    def delete(self, request: HttpRequest, completion_id: str) -> dict[str, Any]:
        self.find(completion_id).delete()
        return wire.deleted(completion_id, "chat.completion.deleted")


class ChatMessages(StoredChatEndpoint):
    def get(self, request: HttpRequest, completion_id: str) -> dict[str, Any]:
        found, has_more = cut_list(
            wire.stored_messages(self.find(completion_id)),
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=20, largest=100),
            newest_first=read_order(request.GET, NEWEST_FIRST, default="asc"),
        )
        return wire.page(found, has_more=has_more)
