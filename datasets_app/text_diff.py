"""What changed from one text to another, word by word, for a person to read.

The time is bounded whatever the texts are: far apart, they are shown as one replaced
by the other, which is what they are to a reader anyway.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

Op = Literal["equal", "delete", "insert"]
Part = tuple[Op, str]

# Hangul words stand between spaces like Latin ones; Chinese and kana have none.
WORD = re.compile(r"\s+|[぀-ヿ㐀-䶿一-鿿]|\w+|[^\w\s]")
MAX_CHARACTERS = 200_000  # of what is left of a text without the ends both share
MAX_EDITS = 400  # words taken out or put in
MAX_LINE_EDITS = 300
MAX_EDITS_IN_LINES = 40  # in one group of changed lines


def word_diff(before: str, after: str) -> list[Part]:
    """The parts of both texts in order: `equal`, `delete` (only before), `insert`.

    Equal and deleted parts together are `before`, equal and inserted ones `after`.
    """
    start, end = _shared_ends(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    middle = _diff(old, new)
    tail = before[len(before) - end :] if end else ""
    return _readable([("equal", before[:start]), *middle, ("equal", tail)])


def elided(parts: Iterable[Part], *, around: int = 80) -> list[Part]:
    """The same with long equal parts cut to `around` characters beside a change."""
    parts = list(parts)
    last = len(parts) - 1
    return [
        (op, _cut(text, around, is_first=i == 0, is_last=i == last))
        if op == "equal"
        else (op, text)
        for i, (op, text) in enumerate(parts)
    ]


def _cut(text: str, around: int, *, is_first: bool, is_last: bool) -> str:
    head = "" if is_first else text[:around]
    tail = "" if is_last else text[-around:]
    return text if len(text) <= len(head) + len(tail) + 3 else f"{head} … {tail}"


def _shared_ends(before: str, after: str) -> tuple[int, int]:
    """How many characters both begin and end with, not cutting a word in two."""
    start = _shared(before, after, at_end=False)
    start = _back_to_boundary(before, after, start)
    end = _shared(before[start:], after[start:], at_end=True)
    return start, _back_to_boundary(before[::-1], after[::-1], end) if end else 0


def _shared(before: str, after: str, *, at_end: bool) -> int:
    """Found by halving: comparing slices is far quicker than characters."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if at_end:
            same = before[-middle:] == after[-middle:]
        else:
            same = before[:middle] == after[:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _back_to_boundary(before: str, after: str, at: int) -> int:
    """The last place up to `at` where neither text is inside a word."""
    lowest = max(0, at - 200)  # nothing longer is a word
    while at > lowest and any(_is_inside_word(text, at) for text in (before, after)):
        at -= 1
    return at


def _is_inside_word(text: str, at: int) -> bool:
    return at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _diff(old: str, new: str) -> list[Part]:
    if max(len(old), len(new)) > MAX_CHARACTERS:
        return _replaced(old, new)
    by_word = _edits(WORD.findall(old), WORD.findall(new), MAX_EDITS)
    return by_word if by_word is not None else _diff_lines(old, new)


def _diff_lines(old: str, new: str) -> list[Part]:
    """Line by line, and by word where few words of a group of lines changed."""
    lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    by_line = _edits(*lines, MAX_LINE_EDITS)
    if by_line is None:
        return _replaced(old, new)
    found: list[Part] = []
    for is_equal, group in groupby(by_line, key=lambda part: part[0] == "equal"):
        parts = list(group)
        found += parts if is_equal else _within(parts)
    return found


def _within(parts: list[Part]) -> list[Part]:
    old, new = _joined(parts, "delete"), _joined(parts, "insert")
    by_word = _edits(WORD.findall(old), WORD.findall(new), MAX_EDITS_IN_LINES)
    return by_word if by_word is not None else _replaced(old, new)


def _replaced(old: str, new: str) -> list[Part]:
    return [("delete", old), ("insert", new)]


def _joined(parts: Iterable[Part], op: Op) -> str:
    return "".join(text for kind, text in parts if kind == op)


def _edits(old: Sequence[str], new: Sequence[str], limit: int) -> list[Part] | None:
    """The shortest way from one to the other; None if it is longer than `limit`.

    Myers 1986, "An O(ND) Difference Algorithm": `furthest[k]` is how far into `old`
    n edits reach on the diagonal k, where `old` is k tokens ahead of `new`.
    """
    furthest, trace = {1: 0}, []
    for n_edits in range(min(limit, len(old) + len(new)) + 1):
        trace.append(dict(furthest))
        for k in range(-n_edits, n_edits + 1, 2):
            x = _next_x(furthest, k, n_edits)
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(old) and x - k >= len(new):
                return _walk_back(trace, old, new)
    return None


def _next_x(furthest: dict[int, int], k: int, n_edits: int) -> int:
    inserts = k == -n_edits or (
        k != n_edits and furthest.get(k - 1, -1) < furthest.get(k + 1, -1)
    )
    return furthest[k + 1] if inserts else furthest[k - 1] + 1


def _walk_back(
    trace: list[dict[int, int]], old: Sequence[str], new: Sequence[str]
) -> list[Part]:
    x, y = len(old), len(new)
    parts: list[Part] = []
    for n_edits in range(len(trace) - 1, -1, -1):
        furthest, k = trace[n_edits], x - y
        start = _next_x(furthest, k, n_edits)
        while x > max(start, 0) and y > max(start - k, 0):
            x, y = x - 1, y - 1
            parts.append(("equal", old[x]))
        if n_edits == 0:
            break
        if start == furthest.get(k + 1):
            y -= 1
            parts.append(("insert", new[y]))
        else:
            x -= 1
            parts.append(("delete", old[x]))
    return parts[::-1]


def _readable(parts: list[Part]) -> list[Part]:
    """Deleted before inserted in each change; a space between two changes is in both.

    “one two → three four” reads as one change, not as two with a space between.
    """
    found: list[Part] = []
    old = new = ""
    merged = _merged(parts)
    for i, (op, text) in enumerate(merged):
        is_gap = op == "equal" and bool(old or new) and i + 1 < len(merged)
        if op == "equal" and not (is_gap and text.isspace() and "\n" not in text):
            found += [("delete", old), ("insert", new), ("equal", text)]
            old = new = ""
        else:
            old += text if op != "insert" else ""
            new += text if op != "delete" else ""
    return [part for part in (*found, ("delete", old), ("insert", new)) if part[1]]


def _merged(parts: list[Part]) -> list[Part]:
    groups = groupby((p for p in parts if p[1]), key=lambda part: part[0])
    return [(op, "".join(text for _op, text in group)) for op, group in groups]
