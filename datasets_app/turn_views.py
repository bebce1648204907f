"""A conversation as a page shows it: text first, then whatever else is there."""

from dataclasses import dataclass
from typing import Any

from datasets_app.image_checks import MAX_IMAGE_BYTES, image_problem
from datasets_app.turn_text import pretty

MOST_IMAGES = 8  # of one message
MOST_CHARACTERS = MAX_IMAGE_BYTES * 4 // 3 + 100  # of a picture's address
LABEL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a row; where `source` is empty only its label is shown."""

    source: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """`rest` is JSON of what is neither role, name, text nor weight."""

    role: str
    text: str
    name: str
    rest: str
    images: list[Image]
    is_learnt: bool


def shown_turns(messages: Any) -> list[ShownTurn]:
    """What is no list of messages is shown as the JSON that it is."""
    if not isinstance(messages, list):
        return [] if messages is None else [_unknown(messages)]
    return [
        _shown(each) if isinstance(each, dict) else _unknown(each) for each in messages
    ]


def _unknown(value: Any) -> ShownTurn:
    return ShownTurn("", "", "", pretty(value), [], True)


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
        images=images_of(content),
        is_learnt=message.get("weight") != 0,
    )


def _texts(parts: list[Any]) -> list[str]:
    return [str(p["text"]) for p in parts if isinstance(p, dict) and "text" in p]


def images_of(content: Any, most: int = MOST_CHARACTERS) -> list[Image]:
    """The pictures of a message's content; those of more characters are only named."""
    parts = content if isinstance(content, list) else []
    found = [p["image_url"] for p in parts if isinstance(p, dict) and "image_url" in p]
    return [_image(each, most) for each in found[:MOST_IMAGES]]


def _image(given: Any, most: int) -> Image:
    """One from elsewhere is not asked for: its server would learn who looks."""
    address = given.get("url") if isinstance(given, dict) else None
    if not isinstance(address, str):
        return Image("", pretty(given)[:LABEL_LENGTH])
    if not address.startswith("data:"):
        return Image("", address[:LABEL_LENGTH])
    is_shown = len(address) <= most and image_problem(address) is None
    label = pretty(address).strip('"')[:LABEL_LENGTH]
    return Image(address if is_shown else "", label)
