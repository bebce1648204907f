"""How many tokens a conversation costs.

A counter counts as one tokenizer does; `services.counter_of(dataset)` gives the one
of a dataset's base model. What a record is, `chat_format` says.

OpenAI's models are counted as its cookbook does: three tokens for each message, one
more if it has a name, three for the reply, and the texts with the model's encoding.
What tools and images add is an estimate. An open model is counted by `own_tokens`.

A DPO row costs its prompt once and both its outputs: that is what providers train on.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol

import quicktok

from datasets_app.chat_format import OUTPUT_KEYS, all_messages, all_texts

PER_MESSAGE = 3 + 1  # every role's name is one token
PER_NAME = 1
PER_REPLY = 3
PER_IMAGE = 85  # at low detail, which is all that can be known without the picture
PROPERTIES_START, PER_PROPERTY, FUNCTIONS_END = 3, 3, 12
PER_ENUM, PER_ENUM_ITEM = -3, 3
# By encoding: gpt-4o and later describe a function in fewer tokens than those before.
PER_FUNCTION = {"o200k_base": 7, "cl100k_base": 10}


class Counter(Protocol):
    """Counts as one tokenizer does. Equal keys give equal counts."""

    @property
    def key(self) -> str: ...

    def count(self, record: dict[str, Any]) -> int:
        """Tokens of one record. What is not in the chat format counts nothing."""

    def count_all(self, records: list[dict[str, Any]]) -> list[int]:
        """The same for many records, on several cores where that helps."""

    def per_message(self, record: dict[str, Any]) -> list[int]:
        """Of each of `chat_format.all_messages`, a DPO row's outputs among them.

        What tools cost, and the start of the reply, is no message's.
        """


@dataclass(frozen=True)
class OpenAICounter:
    """Counts with one of OpenAI's encodings, which `key` names."""

    key: str = "o200k_base"

    @cached_property
    def _size(self) -> Any:
        return quicktok.get_encoding(self.key).count

    def count(self, record: dict[str, Any]) -> int:
        messages = record.get("messages")
        if len(record) == 1:  # nearly every record, and imports count millions
            return PER_REPLY + self._messages(messages)
        total = PER_REPLY + self._messages(messages) + self._definitions(record)
        return total + sum(self._messages(record.get(name)) for name in OUTPUT_KEYS)

    def count_all(self, records: list[dict[str, Any]]) -> list[int]:
        return list(map(self.count, records))

    def per_message(self, record: dict[str, Any]) -> list[int]:
        messages = all_messages(record)
        return [
            self._messages([message])
            for message in (messages if isinstance(messages, list) else ())
        ]

    def _messages(self, messages: Any) -> int:
        if not isinstance(messages, list):
            return 0
        total = PER_MESSAGE * len(messages) + sum(map(self._size, all_texts(messages)))
        for message in messages:
            if not isinstance(message, dict):
                continue
            if len(message) > 2 and message.get("name"):
                total += PER_NAME
            if type(message.get("content")) is list:
                total += _image_tokens(message["content"])
        return total

    def _definitions(self, record: dict[str, Any]) -> int:
        described = [tool.get("function") for tool in _dicts(record.get("tools"))]
        functions = _dicts(described) + _dicts(record.get("functions"))
        if not functions:
            return 0
        return FUNCTIONS_END + sum(self._function(each) for each in functions)

    def _function(self, function: dict[str, Any]) -> int:
        description = str(function.get("description", "")).rstrip(".")
        heading = f"{function.get('name')}:{description}"
        total = PER_FUNCTION[self.key] + int(self._size(heading))
        parameters = function.get("parameters")
        named = parameters.get("properties") if isinstance(parameters, dict) else None
        if not isinstance(named, dict) or not named:
            return total
        return (
            total
            + PROPERTIES_START
            + sum(
                self._property(name, value if isinstance(value, dict) else {})
                for name, value in named.items()
            )
        )

    def _property(self, name: str, schema: dict[str, Any]) -> int:
        description = str(schema.get("description", "")).rstrip(".")
        line = f"{name}:{schema.get('type', '')}:{description}"
        total = PER_PROPERTY + int(self._size(line))
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            total += PER_ENUM
            total += sum(PER_ENUM_ITEM + int(self._size(str(c))) for c in choices)
        return total


@cache
def openai_counter(encoding: str = "o200k_base") -> OpenAICounter:
    return OpenAICounter(encoding)


def _image_tokens(parts: list[Any]) -> int:
    images = [p for p in parts if isinstance(p, dict) and p.get("type") == "image_url"]
    return PER_IMAGE * len(images)


def _dicts(values: Any) -> list[dict[str, Any]]:
    return (
        [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
    )
