"""/v1/chat/completions/…: what was asked with `store: true`."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from tests.tuning_server_app import schema_check
from tests.tuning_server_app.factories import make_chat
from tests.tuning_server_app.test_chat import (
    BASE,
    COMPLETION,
    HEAD,
    JSON,
    REFUSED,
    STREAM,
    Upstream,
    ask,
    upstream,
)
from tuning_server_app.chat_assembly import Assembly
from tuning_server_app.models import Organization, StoredChat
from tuning_server_app.services.stored_chats import delete_old_chats

__all__ = ["ask", "upstream"]  # fixtures

CHATS = "/v1/chat/completions"


def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **more}
    return event([choice])


def event(choices: list[Any], **more: Any) -> bytes:
    data = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": BASE,
        "choices": choices,
        **more,
    }
    return b"data: " + json.dumps(data).encode() + b"\n\n"


SPOKEN = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "안"}),
    chunk({"content": "녕!"}),
    chunk({}, "stop"),
    b"data: [DONE]\n\n",
]


def test_an_answer_is_kept_with_its_question(api: Client, ask: Any, upstream: Upstream):
    upstream.answer(JSON + COMPLETION)
    ask(store=True, metadata={"case": "열쇠"})
    kept = api.get(f"{CHATS}/chatcmpl-1").json()
    assert kept == {**json.loads(COMPLETION), "metadata": {"case": "열쇠"}}
    messages = api.get(f"{CHATS}/chatcmpl-1/messages").json()["data"]
    assert [(row["role"], row["content"]) for row in messages] == [("user", "안녕?")]


def test_a_stream_is_kept_as_the_answer_it_was(
    api: Client, ask: Any, upstream: Upstream
):
    upstream.answer(STREAM, *SPOKEN)
    list(ask(store=True, stream=True).streaming_content)
    choice = api.get(f"{CHATS}/chatcmpl-1").json()["choices"][0]
    assert choice["message"]["content"] == "안녕!"
    assert choice["finish_reason"] == "stop"


def test_a_stream_of_another_form_reaches_its_client(ask: Any, upstream: Upstream):
    odd = chunk({"content": "a"}).replace(b'"finish_reason": null', b'"role": "user"')
    upstream.answer(STREAM, b": ping\n\n", odd, *SPOKEN[1:])
    said = b"".join(ask(store=True, stream=True).streaming_content)
    assert said.endswith(SPOKEN[-1])
    assert schema_check.violations.pop().endswith("is a required property")


def test_a_stream_that_breaks_is_not_kept(ask: Any, upstream: Upstream):
    upstream.answer(STREAM, *SPOKEN[:-1])
    list(ask(store=True, stream=True).streaming_content)
    assert not StoredChat.objects.exists()


@pytest.mark.parametrize("store", [False, None])
def test_without_a_word_nothing_is_kept(ask: Any, upstream: Upstream, store: Any):
    upstream.answer(JSON + COMPLETION)
    ask(store=store)
    assert not StoredChat.objects.exists()


def test_a_refusal_is_not_kept(ask: Any, upstream: Upstream):
    upstream.answer(HEAD.replace(b"200 OK", b"400 No") % b"application/json" + REFUSED)
    assert ask(store=True).status_code == 400
    assert not StoredChat.objects.exists()


def test_metadata_that_cannot_be_kept_is_refused_before_anyone_is_asked(ask: Any):
    response = ask(store=True, metadata={"n": 1})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "metadata"


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]]


def test_chats_are_listed_oldest_first(api: Client, organization: Organization):
    first, second, third = (make_chat(organization).wire_id for _ in range(3))
    assert ids(api.get(CHATS)) == [first, second, third]
    assert ids(api.get(f"{CHATS}?order=desc&limit=2")) == [third, second]
    assert ids(api.get(f"{CHATS}?after={first}&limit=1")) == [second]
    assert api.get(f"{CHATS}?order=up").status_code == 400


def test_chats_are_found_by_model_and_metadata(api: Client, organization: Organization):
    marked = make_chat(organization, metadata={"case": "1"}).wire_id
    other = make_chat(organization, model="other").wire_id
    assert ids(api.get(CHATS, {"metadata[case]": "1"})) == [marked]
    assert ids(api.get(f"{CHATS}?model=other")) == [other]


def test_metadata_can_be_changed_and_nothing_else(
    api: Client, organization: Organization
):
    path = f"{CHATS}/{make_chat(organization).wire_id}"
    seen = {"seen": "yes"}
    answer = api.post(path, {"metadata": seen}, "application/json")
    assert answer.json()["metadata"] == seen
    wrong: list[Any] = [{}, {"metadata": {"n": 1}}, []]
    for body in wrong:
        assert api.post(path, body, "application/json").status_code == 400
    assert StoredChat.objects.get().metadata == seen


def test_a_deleted_chat_is_gone(api: Client, organization: Organization):
    path = f"{CHATS}/{make_chat(organization).wire_id}"
    assert api.delete(path).json()["deleted"]
    assert api.get(path).status_code == 404


def test_messages_are_listed_in_pages(api: Client, organization: Organization):
    parts = [{"type": "text", "text": "Hi"}]
    messages = [
        {"role": "system", "content": "Rules."},
        {"role": "user", "content": parts},
    ]
    chat = make_chat(organization, messages=messages).wire_id
    path = f"{CHATS}/{chat}/messages"
    assert ids(api.get(path)) == [f"{chat}-0", f"{chat}-1"]
    last = api.get(f"{path}?after={chat}-0").json()
    assert (last["data"][0]["content"], last["data"][0]["content_parts"]) == (
        None,
        parts,
    )
    assert ids(api.get(f"{path}?order=desc&limit=1")) == [f"{chat}-1"]
    assert ids(api.get(f"{path}?after=nobody")) == []


def test_after_thirty_days_a_chat_is_gone(api: Client, organization: Organization):
    old, young = make_chat(organization), make_chat(organization)
    StoredChat.objects.filter(pk=old.pk).update(created_at=now() - timedelta(days=30))
    assert ids(api.get(CHATS)) == [young.wire_id]
    delete_old_chats()
    assert [row.pk for row in StoredChat.objects.all()] == [young.pk]


def assembled(*events: bytes) -> Any:
    """Fed byte by byte, as no network would."""
    assembly = Assembly()
    whole = b"".join([*events, b"data: [DONE]\n\n"])
    found = [assembly.feed(whole[at : at + 1]) for at in range(len(whole))]
    return next(each for each in found if each is not None)


def test_comments_in_a_stream_say_nothing():
    completion = assembled(b": ping\n\n", chunk({"content": "a"}, "stop"))
    assert completion["choices"][0]["message"]["content"] == "a"


def test_tool_calls_are_put_together():
    call = {"index": 0, "id": "call_1", "function": {"name": "attack", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": '{"unit": 1}'}}
    completion = assembled(
        chunk({"tool_calls": [call]}), chunk({"tool_calls": [more]}, "tool_calls")
    )
    message = completion["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "attack", "arguments": '{"unit": 1}'},
        }
    ]


def test_choices_usage_and_logprobs_are_put_together():
    one = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    words = [
        {
            "index": index,
            "delta": {"content": text},
            "finish_reason": "stop",
            "logprobs": {"content": [one], "refusal": None},
        }
        for index, text in ((1, "b"), (0, "a"), (0, "c"))
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    completion = assembled(*(event([word]) for word in words), event([], usage=usage))
    texts = [choice["message"]["content"] for choice in completion["choices"]]
    assert (texts, completion["usage"]) == (["ac", "b"], usage)
    assert completion["choices"][0]["logprobs"]["content"] == [one, one]


def test_a_nul_in_an_answer_is_kept_as_what_a_database_can_hold(
    api: Client, ask: Any, upstream: Upstream
):
    message = {"role": "assistant", "content": "a\0b\\u0000", "refusal": None}
    said = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    answer = {**json.loads(COMPLETION), "choices": [said]}
    upstream.answer(JSON + json.dumps(answer).encode())
    ask(store=True)
    kept = StoredChat.objects.get().completion
    assert kept["choices"][0]["message"]["content"] == "a\ufffdb\\u0000"


def test_a_list_of_chats_does_not_read_their_questions(
    api: Client, organization: Organization
):
    make_chat(organization)
    with CaptureQueriesContext(connection) as queries:
        api.get(CHATS)
    assert not any('"messages"' in query["sql"] for query in queries)
