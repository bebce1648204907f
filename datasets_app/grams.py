"""Cuts text into the short pieces by which it is found again.

Korean, Chinese and Japanese are cut into single characters and pairs, because a word of
two syllables is what people search for there; everything else into threes. A text that
contains a word has all of the word's pieces. The other way round is not certain, so
whoever finds rows by pieces still looks into their texts.
"""

import re
from functools import lru_cache
from itertools import pairwise

_CJK = "ᄀ-ᇿ぀-ヿ㄰-㆏㐀-鿿ꥠ-꥿가-힯ힰ-퟿豈-﫿"
_RUN = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]").match
MAX_QUERY_GRAMS = 40
USUAL_LENGTH = 16  # of a word that is worth remembering


def grams(text: str) -> set[str]:
    """All pieces of a text, in small letters."""
    return set().union(*map(_pieces, set(_RUN.findall(text.lower()))))


def query_grams(words: list[str]) -> list[str]:
    """The pieces to look for; none if the words are too short to have any."""
    found: dict[str, None] = {}
    for word in _RUN.findall(" ".join(words).lower()):
        is_cjk = _IS_CJK(word)
        size = 2 if is_cjk else 3
        if is_cjk and len(word) == 1:
            found[word] = None
        for start in range(len(word) - size + 1):
            found[word[start : start + size]] = None
    return list(found)[:MAX_QUERY_GRAMS]


def _pieces(word: str) -> tuple[str, ...]:
    return _usual_pieces(word) if len(word) <= USUAL_LENGTH else _cut(word)


def _cut(word: str) -> tuple[str, ...]:
    if _IS_CJK(word):
        return (*word, *map("".join, pairwise(word)))
    return tuple(map("".join, zip(word, word[1:], word[2:], strict=False)))


# The same words come again and again: a few megabytes that spare most of the work.
_usual_pieces = lru_cache(maxsize=10_000)(_cut)
