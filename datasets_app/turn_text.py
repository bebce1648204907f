"""A turn as text that a person can compare with another: role, text, and the rest."""

import hashlib
import json
import re
from typing import Any

DATA_URL = re.compile(r"data:([\w.+/-]{1,60});base64,([A-Za-z0-9+/=]{60,})")


def turns_text(turns: Any) -> str:
    """A conversation; what is no list of turns is shown as the JSON that it is."""
    if not isinstance(turns, list):
        return "" if turns is None else pretty(turns)
    return "\n\n".join(map(turn_text, turns))


def turn_text(turn: Any) -> str:
    if not isinstance(turn, dict):
        return pretty(turn)
    rest = {k: v for k, v in turn.items() if k not in ("role", "content")}
    content = turn.get("content")
    lines = [f"{turn.get('role')}:"]
    if isinstance(content, str):
        lines.append(content)
    elif isinstance(content, list):
        lines += map(_part_text, content)
    elif content is not None:
        rest = {"content": content, **rest}
    lines += [f"{key}: {pretty(value)}" for key, value in rest.items()]
    return "\n".join(lines)


def _part_text(part: Any) -> str:
    is_text = isinstance(part, dict) and part.keys() == {"type", "text"}
    return part["text"] if is_text and isinstance(part["text"], str) else pretty(part)


def pretty(value: Any) -> str:
    """JSON to read; a picture inside it is named by its size and hash."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return DATA_URL.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    kind, data = match.groups()
    digest = hashlib.sha256(data.encode()).hexdigest()[:8]
    return f"[{kind}, {len(data) * 3 // 4 // 1024} KB, {digest}]"
