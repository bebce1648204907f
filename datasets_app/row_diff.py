"""Two states of a row side by side: turn by turn, what was taken out and put in."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from datasets_app.chat_format import OUTPUT_KEYS
from datasets_app.text_diff import Part, elided, word_diff
from datasets_app.turn_text import pretty, turn_text

TURNS = ("messages", *OUTPUT_KEYS)
OTHERS = ("tools", "parallel_tool_calls", "functions", "extra")


@dataclass(frozen=True, slots=True)
class Pair:
    """One turn or key in both states; a side is empty where it is not there."""

    name: str
    old: list[Part]
    new: list[Part]

    @property
    def is_same(self) -> bool:
        return all(op == "equal" for op, _text in (*self.old, *self.new))


def row_diff(old: dict[str, Any], new: dict[str, Any]) -> list[Pair]:
    """Of two records; see `chat_format`."""
    pairs = []
    for key in TURNS:
        turns = zip_longest(_turns(old, key), _turns(new, key), fillvalue="")
        pairs += [_pair("" if key == "messages" else key, *both) for both in turns]
    for key in OTHERS:
        if key in old or key in new:
            pairs.append(_pair(key, _json(old, key), _json(new, key)))
    return pairs


def _turns(record: dict[str, Any], key: str) -> list[str]:
    turns = record.get(key) or []
    return list(map(turn_text, turns if isinstance(turns, list) else [turns]))


def _json(record: dict[str, Any], key: str) -> str:
    return pretty(record[key]) if key in record else ""


def _pair(name: str, old: str, new: str) -> Pair:
    parts = elided(word_diff(old, new))
    return Pair(
        name,
        [part for part in parts if part[0] != "insert"],
        [part for part in parts if part[0] != "delete"],
    )
