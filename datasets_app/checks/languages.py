"""Which language a text is in, by the letters it is written with.

Korean, Japanese and Chinese each have letters of their own. Latin letters are taken
for English unless accents or the small words of another language speak against it.
"""

import re

import numpy as np
from numpy.typing import NDArray

KOREAN, JAPANESE, CHINESE, ENGLISH, OTHER = "ko", "ja", "zh", "en", "other"
FEW_LETTERS = 6  # fewer say nothing: a number, a name, an OK
READ_CHARACTERS = 20_000  # of a longer text its beginning tells enough

# Blocks of Unicode, [first, last] and the script they belong to.
_BLOCKS = (
    (0x41, 0x5A, "latin"),
    (0x61, 0x7A, "latin"),
    (0xC0, 0x24F, "accented"),
    (0x370, 0x10FF, "foreign"),
    (0x1100, 0x11FF, "hangul"),
    (0x1200, 0x1DFF, "foreign"),
    (0x1E00, 0x1EFF, "accented"),
    (0x3041, 0x30FF, "kana"),
    (0x3131, 0x318E, "hangul"),
    (0x3400, 0x9FFF, "han"),
    (0xA960, 0xA97F, "hangul"),
    (0xAC00, 0xD7FF, "hangul"),
    (0x20000, 0x323AF, "han"),
)
_SCRIPTS = ("", "latin", "accented", "hangul", "kana", "han", "foreign")
# A syllable of Hangul and a character of Chinese hold about as much as this many
# Latin letters, so that foreign names do not outweigh the sentence around them.
_WEIGHT = {"latin": 1, "accented": 1, "hangul": 4, "kana": 2, "han": 4, "foreign": 1}
_EDGES = np.array([edge for a, b, _s in _BLOCKS for edge in (a, b + 1)], np.uint32)
_AT_EDGE = np.array(
    [0] + [n for *_, s in _BLOCKS for n in (_SCRIPTS.index(s), 0)], np.uint8
)
_WORDS = re.compile(r"[a-zà-ÿ']+")
_ENGLISH = (
    "the of and to is in that it for you are this with on be as was i can not what "
    "how an or your have by from at will if do which a"
)
_FOREIGN = (
    "el los las que del por para una con está es le la les des et est une pour dans "
    "qui sur pas der die und das ist nicht ein eine mit auf den zu di che il per non "
    "sono os da em não um uma het een van dat op niet yang dan untuk dengan"
)
_ENGLISH_WORDS = frozenset(_ENGLISH.split())
_FOREIGN_WORDS = frozenset(_FOREIGN.split())


def language_of(text: str) -> str:
    """One of ko, ja, zh, en and other; "" where too few letters say anything."""
    text = text[:READ_CHARACTERS]
    letters = _letters(code_points(text))
    total = sum(letters.values())
    if total < FEW_LETTERS:
        return ""
    script = max(letters, key=lambda each: letters[each] * _WEIGHT[each])
    if script in ("kana", "han"):
        # Japanese mixes both; Chinese has no kana but in a borrowed name.
        return JAPANESE if letters["kana"] * 10 > letters["han"] else CHINESE
    if script == "hangul":
        return KOREAN
    if script != "latin" or letters["accented"] * 40 > total:
        return OTHER
    return _of_latin(text)


def code_points(text: str) -> NDArray[np.uint32]:
    """The text's characters as numbers. Lone surrogates are kept."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _letters(codes: NDArray[np.uint32]) -> dict[str, int]:
    """How many letters of each script."""
    scripts = _AT_EDGE[np.searchsorted(_EDGES, codes, side="right")]
    counts = np.bincount(scripts, minlength=len(_SCRIPTS)).tolist()
    return dict(zip(_SCRIPTS[1:], counts[1:], strict=True))


def _of_latin(text: str) -> str:
    words = _WORDS.findall(text[:2_000].lower())
    n_english = sum(word in _ENGLISH_WORDS for word in words)
    n_foreign = sum(word in _FOREIGN_WORDS for word in words)
    return OTHER if n_foreign > n_english else ENGLISH
