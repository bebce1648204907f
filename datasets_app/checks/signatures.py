"""Short signatures of texts, by which alike texts are found without comparing all.

A text is the set of its shingles: every run of five characters (not bytes, so that
Korean counts like English), without regard to case and spacing. The share of equal
places in two signatures estimates how much of both sets is common (Jaccard).
"""

import unicodedata

import numpy as np
import rensa
from numpy.typing import NDArray

from datasets_app.checks.languages import code_points

SHINGLE_CHARACTERS = 5
READ_CHARACTERS = 200_000  # of a longer text its beginning is compared
N_HASHES = 128
# Sixteen bits each: two texts agree in a place by chance once in 65,536.
SIGNATURE_TYPE = np.dtype("<u2")
SIGNATURE_BYTES = N_HASHES * SIGNATURE_TYPE.itemsize
_SEED = 42
_FACTORS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    ],
    np.uint64,
)
Shingles = NDArray[np.uint64]


def normal(text: str) -> str:
    """The text without regard to case, spacing and the way a letter is encoded."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def shingles_of(text: str) -> Shingles:
    """One hash for each run of characters in a normal text; some may come twice."""
    codes = code_points(text).astype(np.uint64)
    if len(codes) < SHINGLE_CHARACTERS:
        codes = np.pad(codes, (0, SHINGLE_CHARACTERS - len(codes)))
    n = len(codes) - SHINGLE_CHARACTERS + 1
    hashes = codes[:n] * _FACTORS[0]
    for place in range(1, SHINGLE_CHARACTERS):
        hashes += codes[place : n + place] * _FACTORS[place]
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return hashes ^ (hashes >> np.uint64(32))


def signatures_of(sets: list[Shingles]) -> NDArray[np.uint16]:
    """(len(sets), N_HASHES) uint16."""
    if not sets:
        return np.empty((0, N_HASHES), SIGNATURE_TYPE)
    ends = np.cumsum([0, *map(len, sets)]).astype(np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        np.concatenate(sets), ends, N_HASHES, _SEED
    )
    return np.array(matrix.to_rows(), np.uint32).astype(SIGNATURE_TYPE)


def likeness(one: Shingles, other: Shingles) -> float:
    """How much of all shingles both texts have, 0 to 1: the exact Jaccard index."""
    one, other = np.unique(one), np.unique(other)
    n_common = len(np.intersect1d(one, other, assume_unique=True))
    return n_common / (len(one) + len(other) - n_common)
