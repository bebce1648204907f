"""Putting together what two people made of one list of turns, each on their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from datasets_app import exact_json

Who = Literal["nobody", "mine", "theirs", "both", "conflict"]
MAX_TURNS = 400  # beyond, the whole list counts as one piece


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of turns: as it was, as I made it, as they made it.

    `who` changed it; `both` made the same of it, `conflict` not the same.
    """

    who: Who
    base: list[Any]
    mine: list[Any]
    theirs: list[Any]

    def taking(self, choice: str) -> list[Any]:
        return self.theirs if choice == "theirs" else self.mine

    @property
    def proposed(self) -> str:
        """Whose is taken where only one of the two changed anything."""
        return "theirs" if self.who == "theirs" else "mine"


def pieces(base: list[Any], mine: list[Any], theirs: list[Any]) -> list[Piece]:
    """The three lists cut at the turns that all of them share."""
    if max(map(len, (base, mine, theirs))) > MAX_TURNS:
        return [_piece(base, mine, theirs)]
    return list(_cut(base, mine, theirs))


def _cut(base: list[Any], mine: list[Any], theirs: list[Any]) -> Iterator[Piece]:
    in_mine, in_theirs = _places(base, mine), _places(base, theirs)
    b = m = t = 0  # up to here the lists are in pieces already
    for at in range(len(base) + 1):
        if at < len(base) and (at not in in_mine or at not in in_theirs):
            continue
        next_m, next_t = in_mine.get(at, len(mine)), in_theirs.get(at, len(theirs))
        before = base[b:at], mine[m:next_m], theirs[t:next_t]
        if any(before):
            yield _piece(*before)
        if at < len(base):
            yield _piece([base[at]], [mine[next_m]], [theirs[next_t]])
        b, m, t = at + 1, next_m + 1, next_t + 1


def _places(base: list[Any], other: list[Any]) -> dict[int, int]:
    """Which turn of `base` stands unchanged where in `other`."""
    matcher = SequenceMatcher(None, _texts(base), _texts(other), autojunk=False)
    return {
        start + i: there + i
        for start, there, size in matcher.get_matching_blocks()
        for i in range(size)
    }


def _piece(base: list[Any], mine: list[Any], theirs: list[Any]) -> Piece:
    b, m, t = _texts(base), _texts(mine), _texts(theirs)
    who: Who = "conflict"
    if m == t:
        who = "nobody" if m == b else "both"
    elif m == b:
        who = "theirs"
    elif t == b:
        who = "mine"
    return Piece(who, base, mine, theirs)


def _texts(turns: list[Any]) -> list[str]:
    return [str(exact_json.dumps(turn)) for turn in turns]


def merged(found: list[Piece], choose: Callable[[int], str]) -> list[Any]:
    """The turns that were chosen, piece by piece; `choose` is asked by number."""
    return [turn for n, piece in enumerate(found) for turn in piece.taking(choose(n))]
