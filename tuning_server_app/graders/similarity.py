"""How alike are two texts? Each metric gives a number from 0 to 1.

Words are runs of letters and digits of any language. Sources: BLEU with exponential
smoothing as in mteval-v13a; GLEU: Wu and others 2016, section 4.3; ROUGE: F1 of n-grams
or of the longest common subsequence, Lin 2004; fuzzy_match: rapidfuzz's ratio.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

WORD = re.compile(r"\w+")
WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")
LONGEST = 4

Words = Sequence[str]


def fuzzy_match(text: str, reference: str) -> float:
    return fuzz.ratio(text, reference) / 100


def bleu(text: str, reference: str) -> float:
    found, wanted = WORD_OR_SIGN.findall(text), WORD_OR_SIGN.findall(reference)
    if not found:
        return float(not wanted)
    logs, smoothing = [], 1.0
    for n in range(1, min(LONGEST, len(found)) + 1):
        grams = _grams(found, n)
        n_right = (grams & _grams(wanted, n)).total()
        if n == 1 and not n_right:
            return 0.0
        if not n_right:
            smoothing *= 2
        logs.append(math.log((n_right or 1 / smoothing) / grams.total()))
    brevity = min(0.0, 1 - len(wanted) / len(found))
    return math.exp(brevity + sum(logs) / len(logs))


def gleu(text: str, reference: str) -> float:
    found, wanted = WORD_OR_SIGN.findall(text), WORD_OR_SIGN.findall(reference)
    if not found:
        return float(not wanted)
    ours, theirs = _all_grams(found), _all_grams(wanted)
    return (ours & theirs).total() / max(ours.total(), theirs.total())


def rouge_n(text: str, reference: str, *, n: int) -> float:
    ours, theirs = _grams(_words(text), n), _grams(_words(reference), n)
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(text: str, reference: str) -> float:
    ours, theirs = _words(text), _words(reference)
    return _f1(LCSseq.similarity(ours, theirs), len(ours), len(theirs))


METRICS: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": fuzzy_match,
    "bleu": bleu,
    "gleu": gleu,
    **{f"rouge_{n}": partial(rouge_n, n=n) for n in range(1, 6)},
    "rouge_l": rouge_l,
}


def _words(text: str) -> Words:
    return WORD.findall(text.lower())


def _grams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))


def _all_grams(words: Words) -> Counter[tuple[str, ...]]:
    return sum((_grams(words, n) for n in range(1, LONGEST + 1)), Counter())


def _f1(n_shared: int, n_ours: int, n_theirs: int) -> float:
    return 2 * n_shared / (n_ours + n_theirs) if n_shared else 0.0
