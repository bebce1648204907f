"""Cuts text into the short pieces by which it is found again.

Korean, Chinese and Japanese are cut into single characters and pairs, because a word of
two syllables is what people search for there; everything else into threes. A text that
contains a word has all of the word's pieces. The other way round is not certain, so
whoever finds rows by pieces still looks into their texts.
"""

import re
from itertools import pairwise

_CJK = "ᄀ-ᇿ぀-ヿ㄰-㆏㐀-鿿ꥠ-꥿가-힯ힰ-퟿豈-﫿"
_RUN = re.compile(f"([{_CJK}]+)|[^\\W_{_CJK}]+")
MAX_QUERY_GRAMS = 40


def grams(text: str) -> set[str]:
    """All pieces of a text, in small letters."""
    found: set[str] = set()
    for run in {match.group(): match for match in _RUN.finditer(text.lower())}.values():
        word = run.group()
        if run.group(1):
            found.update(word)
            found.update(map("".join, pairwise(word)))
        else:
            found.update(map("".join, zip(word, word[1:], word[2:], strict=False)))
    return found


def query_grams(words: list[str]) -> list[str]:
    """The pieces to look for; none if the words are too short to have any."""
    found: dict[str, None] = {}
    for run in _RUN.finditer(" ".join(words).lower()):
        word, size = run.group(), 2 if run.group(1) else 3
        if run.group(1) and len(word) == 1:
            found[word] = None
        for start in range(len(word) - size + 1):
            found[word[start : start + size]] = None
    return list(found)[:MAX_QUERY_GRAMS]
