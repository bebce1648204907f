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
from itertools import accumulate
from typing import Any, Protocol

import quicktok

from datasets_app.chat_format import OUTPUT_KEYS, all_messages, all_texts, plain_texts

THREADS = 2  # that one count takes: an import stores rows on another core meanwhile
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
    def _encoding(self) -> Any:
        return quicktok.get_encoding(self.key)

    def count(self, record: dict[str, Any]) -> int:
        texts: list[str] = []
        return self._rest(record, texts) + sum(map(self._encoding.count, texts))

    def count_all(self, records: list[dict[str, Any]]) -> list[int]:
        texts: list[str] = []
        # Of each record, what its texts come on top of, and where these end.
        rests = [(self._rest(record, texts), len(texts)) for record in records]
        sizes = quicktok.count_batch(self._encoding, texts, threads=THREADS)
        sums = [0, *accumulate(sizes.tolist())]
        ends = [0, *(end for _rest, end in rests)]
        return [
            rest + sums[end] - sums[start]
            for start, (rest, end) in zip(ends, rests, strict=False)
        ]

    def per_message(self, record: dict[str, Any]) -> list[int]:
        messages = all_messages(record)
        return [
            self.count({"messages": [message]}) - PER_REPLY
            for message in (messages if isinstance(messages, list) else ())
        ]

    def _rest(self, record: dict[str, Any], texts: list[str]) -> int:
        """What a record costs beside the texts, which are added to `texts`."""
        if (plain := plain_texts(record)) is not None:
            texts += plain
            return PER_REPLY + PER_MESSAGE * len(plain)
        total = PER_REPLY + _messages(record.get("messages"), texts)
        total += self._definitions(record, texts)
        return total + sum(_messages(record.get(name), texts) for name in OUTPUT_KEYS)

    def _definitions(self, record: dict[str, Any], texts: list[str]) -> int:
        described = [tool.get("function") for tool in _dicts(record.get("tools"))]
        functions = _dicts(described) + _dicts(record.get("functions"))
        if not functions:
            return 0
        costs = (PER_FUNCTION[self.key] + _function(each, texts) for each in functions)
        return FUNCTIONS_END + sum(costs)


def _messages(messages: Any, texts: list[str]) -> int:
    if not isinstance(messages, list):
        return 0
    texts += all_texts(messages)
    total = PER_MESSAGE * len(messages)
    for message in messages:
        if not isinstance(message, dict):
            continue
        if len(message) > 2 and message.get("name"):
            total += PER_NAME
        if type(message.get("content")) is list:
            total += _image_tokens(message["content"])
    return total


def _function(function: dict[str, Any], texts: list[str]) -> int:
    texts.append(f"{function.get('name')}:{_description(function)}")
    parameters = function.get("parameters")
    named = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(named, dict) or not named:
        return 0
    return PROPERTIES_START + sum(
        _property(name, value if isinstance(value, dict) else {}, texts)
        for name, value in named.items()
    )


def _property(name: str, schema: dict[str, Any], texts: list[str]) -> int:
    texts.append(f"{name}:{schema.get('type', '')}:{_description(schema)}")
    choices = schema.get("enum")
    if not isinstance(choices, list) or not choices:
        return PER_PROPERTY
    texts += map(str, choices)
    return PER_PROPERTY + PER_ENUM + PER_ENUM_ITEM * len(choices)


def _description(described: dict[str, Any]) -> str:
    return str(described.get("description", "")).rstrip(".")


@cache
def openai_counter(encoding: str = "o200k_base") -> OpenAICounter:
    return OpenAICounter(encoding)


def load_encodings() -> None:
    """Half a second of work, in which no other thread of the process gets a turn."""
    for encoding in PER_FUNCTION:
        quicktok.get_encoding(encoding)  # which keeps it


def _image_tokens(parts: list[Any]) -> int:
    images = [p for p in parts if isinstance(p, dict) and p.get("type") == "image_url"]
    return PER_IMAGE * len(images)


def _dicts(values: Any) -> list[dict[str, Any]]:
    return (
        [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
    )
