"""How many tokens a conversation costs, counted as OpenAI's cookbook does.

Three for each message, one more if it has a name, three for the reply, and the text
with the encoding of gpt-4o and gpt-4.1. What tools and images add is an estimate.
"""

from functools import cache
from typing import Any

import quicktok

ENCODING = "o200k_base"
PER_MESSAGE = 3 + 1  # every role's name is one token
PER_NAME = 1
PER_REPLY = 3
PER_IMAGE = 85  # at low detail, which is all that can be known without the picture
PER_FUNCTION, PROPERTIES_START, PER_PROPERTY, FUNCTIONS_END = 7, 3, 3, 12
PER_ENUM, PER_ENUM_ITEM = -3, 3


@cache
def _encoder() -> Any:
    return quicktok.get_encoding(ENCODING)


def count_tokens(record: dict[str, Any], texts: list[str]) -> int:
    """Tokens of one record. What is not in the chat format counts nothing.

    Args:
        texts: `chat_format.all_texts` of its messages.
    """
    messages = record.get("messages")
    total = PER_REPLY + sum(map(_encoder().count, texts))
    for message in messages if isinstance(messages, list) else ():
        total += PER_MESSAGE
        if isinstance(message, dict) and len(message) > 2 and message.get("name"):
            total += PER_NAME
        total += _image_tokens(message)
    if len(record) > 1:
        total += _definition_tokens(record)
    return total


def _image_tokens(message: Any) -> int:
    parts = message.get("content") if isinstance(message, dict) else None
    if not isinstance(parts, list):
        return 0
    images = [p for p in parts if isinstance(p, dict) and p.get("type") == "image_url"]
    return PER_IMAGE * len(images)


def _definition_tokens(record: dict[str, Any]) -> int:
    described = [tool.get("function") for tool in _dicts(record.get("tools"))]
    functions = _dicts(described) + _dicts(record.get("functions"))
    if not functions:
        return 0
    return FUNCTIONS_END + sum(_count_function(each) for each in functions)


def _count_function(function: dict[str, Any]) -> int:
    count = _encoder().count
    heading = (
        f"{function.get('name')}:{str(function.get('description', '')).rstrip('.')}"
    )
    total = PER_FUNCTION + count(heading)
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(properties, dict) or not properties:
        return total
    return (
        total
        + PROPERTIES_START
        + sum(
            _count_property(name, value if isinstance(value, dict) else {})
            for name, value in properties.items()
        )
    )


def _count_property(name: str, schema: dict[str, Any]) -> int:
    count = _encoder().count
    description = str(schema.get("description", "")).rstrip(".")
    total = PER_PROPERTY + count(f"{name}:{schema.get('type', '')}:{description}")
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        total += PER_ENUM + sum(PER_ENUM_ITEM + count(str(c)) for c in choices)
    return total


def _dicts(values: Any) -> list[dict[str, Any]]:
    return (
        [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
    )
