"""Columns of a table that stand beside the conversation: its pictures, and its tags.

A picture is an http(s) or data address, or what training tools keep in Parquet: a
struct of `bytes` and `path`; a column may hold a list of them. Tags are a list, or a
text with commas between. What is neither stays where it was, among the further keys.
"""

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from datasets_app.formats.cells import parsed_cell
from datasets_app.jsonl import BadLine

IMAGE, TAGS = BESIDE = ("image", "tags")
NAMES = {
    IMAGE: (
        *("image", "images", "picture", "pictures", "photo", "img", "image_url"),
        *("이미지", "그림", "사진"),
    ),
    TAGS: ("tags", "tag", "태그"),
}
MAX_TAGS = 50
MAX_TAG_LENGTH = 50
ADDRESSES = ("https://", "http://", "data:image/")
Part = dict[str, Any]


def tags_of(row: Mapping[str, Any], mapping: Mapping[str, str]) -> list[str]:
    """Each once, in the order they stand there. Raises BadLine."""
    found = _tags(row.get(mapping[TAGS])) if TAGS in mapping else None
    if not found:
        return []
    if len(found) > MAX_TAGS:
        raise BadLine("too_many_tags", found=len(found), limit=MAX_TAGS)
    for tag in found:
        if len(tag) > MAX_TAG_LENGTH:
            raise BadLine("tag_too_long", tag=tag[:100], limit=MAX_TAG_LENGTH)
    return found


def _tags(value: Any) -> list[str] | None:
    """None if they are none."""
    value = parsed_cell(value)
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return None
    if not all(isinstance(each, str | int | float) for each in value):
        return None
    texts = (normalize("NFC", str(each)).replace("\x00", "").strip() for each in value)
    return [*dict.fromkeys(text for text in texts if text)]


def take_images(
    row: dict[str, Any], mapping: Mapping[str, str]
) -> tuple[dict[str, Any], list[Part]]:
    """The row without its pictures and tags, and the pictures as parts of a message.

    Raises BadLine for bytes that are no picture.
    """
    rest = dict(row)
    if TAGS in mapping and _tags(row.get(mapping[TAGS])) is not None:
        del rest[mapping[TAGS]]
    column = mapping.get(IMAGE)
    if column is None or column not in row:
        return rest, []
    value = parsed_cell(rest.pop(column))
    parts, left = _pictures(value, column)
    if left is not None:
        rest[column] = left
    return rest, parts


def _pictures(value: Any, column: str) -> tuple[list[Part], Any]:
    """(parts of a message, what is left of the cell)"""
    if isinstance(value, list):
        pairs = [_pictures(each, column) for each in value]
        left = [rest for _parts, rest in pairs if rest is not None]
        return [part for parts, _rest in pairs for part in parts], left or None
    if isinstance(value, dict):
        return _struct(value, column)
    if isinstance(value, str) and value.strip().startswith(ADDRESSES):
        return [_part(value.strip())], None
    return [], value or None


def _struct(value: dict[str, Any], column: str) -> tuple[list[Part], Any]:
    """{"bytes": …, "path": …} as training tools write it, or an address in it."""
    key = next((key for key in ("bytes", "url", "path") if value.get(key)), "")
    address = value.get(key)
    if isinstance(address, str) and address.startswith(ADDRESSES):
        rest = {name: each for name, each in value.items() if name != key and each}
        return [_part(address)], rest or None
    if key == "bytes":
        raise BadLine("no_picture", key=column)
    return [], value or None


def _part(address: str) -> Part:
    return {"type": "image_url", "image_url": {"url": address}}


def with_images(record: dict[str, Any], parts: list[Part]) -> dict[str, Any]:
    """The record with the pictures where its messages name them, else in the question.

    Raises BadLine where there is no question.
    """
    if not parts:
        return record
    left = list(parts)
    given = record.get("messages")
    messages = (
        [_filled(each, left) for each in given] if isinstance(given, list) else []
    )
    if left:
        _put_in_front(messages, left)
    return {**record, "messages": messages}


def _filled(message: Any, left: list[Part]) -> Any:
    """With a picture in each of its places, {"type": "image"}."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return message
    filled = [left.pop(0) if left and _is_place(part) else part for part in content]
    return {**message, "content": filled}


def _is_place(part: Any) -> bool:
    return (
        isinstance(part, dict) and part.get("type") == "image" and "image" not in part
    )


def _put_in_front(messages: list[Any], parts: list[Part]) -> None:
    for index, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            messages[index] = {**message, "content": [*parts, *_parts_of(message)]}
            return
    raise BadLine("picture_without_question")


def _parts_of(message: dict[str, Any]) -> list[Any]:
    content = message.get("content")
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []
