"""How many tokens a conversation costs, counted as OpenAI's cookbook does.

Three for each message, one more if it has a name, three for the reply, and the text
with the encoding of gpt-4o and gpt-4.1. What tools and images add is an estimate.
"""

from functools import cache
from typing import Any

import quicktok

from datasets_app.chat_format import texts_of

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


def count_tokens(messages: Any, tools: Any = None, functions: Any = None) -> int:
    """Tokens of one record. What is not in the chat format counts nothing."""
    count = _encoder().count
    total = PER_REPLY
    for message in messages if isinstance(messages, list) else ():
        total += PER_MESSAGE
        for text in texts_of(message):
            total += count(text)
        if isinstance(message, dict) and len(message) > 2 and message.get("name"):
            total += PER_NAME
        total += PER_IMAGE * _n_images(message)
    if tools or functions:
        total += _count_functions(tools, functions)
    return total


def _n_images(message: Any) -> int:
    parts = message.get("content") if isinstance(message, dict) else None
    if not isinstance(parts, list):
        return 0
    return sum(isinstance(p, dict) and p.get("type") == "image_url" for p in parts)


def _count_functions(tools: Any, functions: Any) -> int:
    described = [t.get("function") for t in _dicts(tools)] + _dicts(functions)
    return FUNCTIONS_END + sum(_count_function(each) for each in _dicts(described))


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
