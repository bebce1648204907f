"""What may be wrong with a row of a fine-tuning file.

The rules are those of OpenAI's chat format: a row that passes here is not refused an
hour later by the provider. `find_problems` names everything wrong, in reading order.
What differs between supervised, DPO and reinforcement rows is in `method_checks`.
"""

import re
from collections.abc import Iterator
from typing import Any

from datasets_app.chat_format import (
    MESSAGE_KEYS,
    RECORD_KEYS,
    REINFORCEMENT,
    REINFORCEMENT_ROLES,
    ROLES,
    SUPERVISED,
    all_messages,
    all_texts,
    texts_of,
)
from datasets_app.image_checks import image_problem
from datasets_app.jsonl import Problem, json_type
from datasets_app.method_checks import method_problems, outputs_of
from datasets_app.tool_checks import call_problems, definition_problems

MAX_PROBLEMS_PER_ROW = 20

# Text like this would be read as the model's own control tokens; providers refuse it.
RESERVED_TOKEN = re.compile(
    r"<\|(?:endoftext|startoftext|endofprompt|fim_prefix|fim_middle|fim_suffix"
    r"|im_start|im_end|im_sep|start|end|message|channel|constrain|call|return)\|>"
)
PLAIN_ROLES = frozenset({"system", "user", "assistant"})
_MESSAGE_KEYS = frozenset(MESSAGE_KEYS)


def find_problems(
    record: dict[str, Any], text: str | None = None, method: str = SUPERVISED
) -> list[Problem]:
    """All that is wrong with a record, at most MAX_PROBLEMS_PER_ROW of it.

    Args:
        text: all texts of the messages, where the caller has them already.
        method: what the dataset's rows teach.
    """
    is_usual = method == SUPERVISED and _is_usual(record)
    problems = [] if is_usual else list(_structure_problems(record, method))
    if text is None:
        text = "\n".join(all_texts(all_messages(record)))
    if "<|" in text or "\x00" in text:
        problems += _forbidden_text(all_messages(record))
    return problems[:MAX_PROBLEMS_PER_ROW]


def _is_usual(record: dict[str, Any]) -> bool:
    """Plain messages that end with an answer: only their texts can be at fault.

    Nearly every row is like this, and imports look at millions of them.
    """
    messages = record.get("messages")
    return (
        len(record) == 1
        and type(messages) is list
        and bool(messages)
        and all(map(_is_plain, messages))
        and messages[-1]["role"] == "assistant"
    )


def _structure_problems(record: dict[str, Any], method: str) -> Iterator[Problem]:
    messages = record.get("messages")
    yield from _record_problems(record)
    if isinstance(messages, list) and messages:
        roles = REINFORCEMENT_ROLES if method == REINFORCEMENT else ROLES
        yield from _conversation_problems(messages, roles)
        yield from method_problems(record, method)
    for index, output in outputs_of(record):
        yield from message_problems(output, index, ("assistant",))


def _conversation_problems(
    messages: list[Any], roles: tuple[str, ...]
) -> Iterator[Problem]:
    unusual = [
        (index, message)
        for index, message in enumerate(messages, start=1)
        if not _is_plain(message)
    ]
    for index, message in unusual:
        yield from message_problems(message, index, roles)
    if unusual:  # plain messages neither call tools nor answer calls
        yield from _answer_problems(messages)


def _is_plain(message: Any) -> bool:
    """The usual message, nothing but a role and text, with nothing wrong."""
    if type(message) is not dict or len(message) != 2:
        return False
    role, content = message.get("role"), message.get("content")
    return (
        type(content) is str
        and type(role) is str
        and role in PLAIN_ROLES
        and bool(content)
        and not content.isspace()
    )


def _record_problems(record: dict[str, Any]) -> Iterator[Problem]:
    if len(record) > 1:
        for key in record:
            if key not in RECORD_KEYS:
                yield Problem("extra_key", params={"key": key[:100]})
        yield from definition_problems(record)
    messages = record.get("messages")
    if "messages" not in record:
        yield Problem("no_messages")
    elif not isinstance(messages, list):
        yield Problem("messages_not_list", params={"found": json_type(messages)})
    elif not messages:
        yield Problem("no_messages")


def message_problems(
    message: Any, index: int, roles: tuple[str, ...] = ROLES
) -> Iterator[Problem]:
    if not isinstance(message, dict):
        yield Problem("message_not_object", index, {"found": json_type(message)})
        return
    for key in message:
        if key not in _MESSAGE_KEYS:
            yield Problem("extra_message_key", index, {"key": key[:100]})
    role = message.get("role")
    if role is None:
        yield Problem("no_role", index)
    elif not isinstance(role, str) or role not in roles:
        yield Problem("unknown_role", index, {"role": str(role)[:100]})
    yield from _content_problems(message, index)
    yield from _weight_problems(message, index)
    if not isinstance(message.get("name", ""), str | None):
        yield Problem("name_not_text", index)
    yield from call_problems(message, index)


def _content_problems(message: dict[str, Any], index: int) -> Iterator[Problem]:
    content = message.get("content")
    makes_calls = message.get("tool_calls") or message.get("function_call")
    if isinstance(content, list) and content:
        for part in content:
            yield from _part_problems(part, message.get("role"), index)
    elif content is None or content == []:
        if not makes_calls:
            yield Problem("no_content", index)
    elif not isinstance(content, str):
        yield Problem("content_not_text", index, {"found": json_type(content)})
    elif not content.strip() and not makes_calls:
        yield Problem("empty_content", index)


def _part_problems(part: Any, role: Any, index: int) -> Iterator[Problem]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        if not isinstance(part.get("text"), str) or not part["text"].strip():
            yield Problem("empty_content", index)
        keys = {"type", "text"}
    elif kind == "image_url":
        if role != "user":
            yield Problem("image_outside_user", index)
        if code := _image_problem(part.get("image_url")):
            yield Problem(code, index)
        keys = {"type", "image_url"}
    else:
        yield Problem("bad_content_part", index, {"type": str(kind)[:100]})
        return
    for key in part:
        if key not in keys:
            yield Problem("extra_message_key", index, {"key": key[:100]})


def _image_problem(image: Any) -> str | None:
    url = image.get("url") if isinstance(image, dict) else None
    return image_problem(url) if isinstance(url, str) else "bad_image_url"


def _weight_problems(message: dict[str, Any], index: int) -> Iterator[Problem]:
    weight = message.get("weight")
    if weight is None:
        return
    if message.get("role") != "assistant":
        yield Problem(
            "weight_not_allowed", index, {"role": str(message.get("role"))[:100]}
        )
    elif type(weight) is not int or weight not in (0, 1):
        yield Problem("bad_weight", index, {"weight": str(weight)[:100]})


def _answer_problems(messages: list[Any]) -> Iterator[Problem]:
    """Every tool call is answered before anybody else speaks, and only once.

    Calls in the last message stand open: the row then teaches the call itself.
    """
    open_calls: dict[str, int] = {}
    for index, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            continue
        if message.get("role") == "tool":
            call_id = message.get("tool_call_id")
            if isinstance(call_id, str) and open_calls.pop(call_id, None) is None:
                yield Problem("unknown_tool_call_id", index, {"id": call_id[:100]})
            continue
        if open_calls:
            yield from _unanswered(open_calls)
            open_calls = {}
        if "tool_calls" in message:
            open_calls = dict.fromkeys(_call_ids(message), index)


def _unanswered(open_calls: dict[str, int]) -> Iterator[Problem]:
    for call_id, index in open_calls.items():
        yield Problem("unanswered_tool_call", index, {"id": call_id[:100]})


def _call_ids(message: dict[str, Any]) -> list[str]:
    calls = message.get("tool_calls")
    found = [
        call.get("id")
        for call in (calls if isinstance(calls, list) else ())
        if isinstance(call, dict)
    ]
    return [call_id for call_id in found if isinstance(call_id, str)]


def _forbidden_text(messages: Any) -> Iterator[Problem]:
    for index, message in enumerate(messages, start=1):
        for text in texts_of(message):
            if "\x00" in text:
                yield Problem("nul_character", index)
            if match := RESERVED_TOKEN.search(text):
                yield Problem("reserved_token", index, {"token": match.group()})
