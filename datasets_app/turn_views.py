"""A conversation as a page shows it: text first, then whatever else is there."""

from dataclasses import dataclass
from typing import Any

from datasets_app.turn_text import pretty


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """`rest` is JSON of what is neither role, name, text nor weight."""

    role: str
    text: str
    name: str
    rest: str
    n_images: int
    is_learnt: bool


def shown_turns(messages: Any) -> list[ShownTurn]:
    """What is no list of messages is shown as the JSON that it is."""
    if not isinstance(messages, list):
        return [] if messages is None else [_unknown(messages)]
    return [
        _shown(each) if isinstance(each, dict) else _unknown(each) for each in messages
    ]


def _unknown(value: Any) -> ShownTurn:
    return ShownTurn("", "", "", pretty(value), 0, True)


def _shown(message: dict[str, Any]) -> ShownTurn:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    texts = [content] if isinstance(content, str) else _texts(parts)
    known = {"role", "content", "name", "weight"}
    rest = {k: v for k, v in message.items() if k not in known}
    if content is not None and not isinstance(content, str | list):
        rest["content"] = content
    return ShownTurn(
        role=str(message.get("role") or ""),
        text="\n\n".join(texts),
        name=str(message.get("name") or ""),
        rest=pretty(rest) if rest else "",
        n_images=sum(isinstance(p, dict) and "image_url" in p for p in parts),
        is_learnt=message.get("weight") != 0,
    )


def _texts(parts: list[Any]) -> list[str]:
    return [str(p["text"]) for p in parts if isinstance(p, dict) and "text" in p]
