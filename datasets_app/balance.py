"""What is lopsided in a dataset: judged from the numbers of `services.balance`.

A model learns whatever most rows have in common, meant or not: the same three words at
the start, one language, one system prompt. Shares are of all rows that a version would
take; the limits are rules of thumb, and so the words for them never say "wrong".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]

FEW_ROWS = 50  # OpenAI's advice: 50 to 100 rows before an effect can be expected
LENGTH_BOUNDS = (0, 1, 25, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800)


@dataclass(frozen=True, slots=True)
class Limit:
    """A group whose share of the rows is above `share` is worth a warning."""

    code: str
    part: str
    share: float


# A language is most often meant to be one, and a system prompt too; an answer is not.
LIMITS = (
    Limit("same_start", "answer_start", 0.2),
    Limit("same_answer", "answer", 0.05),
    Limit("one_tag", "tag", 0.6),
    Limit("one_length", "answer_length", 0.8),
)


@dataclass(frozen=True, slots=True)
class Warning:
    """One thing to think about; `balance_words` has the words for each code."""

    code: str
    params: dict[str, Any]


def warnings(report: Report) -> list[Warning]:
    """What in the report deserves a second look, the most telling first."""
    if not report.get("n_rows"):
        return []
    found = [*_size_warnings(report), *_group_warnings(report)]
    return [*found, *_mixture_warnings(report)]


def _size_warnings(report: Report) -> Iterator[Warning]:
    n_rows, n_validation = report["n_rows"], report["n_validation"]
    if n_rows - n_validation < FEW_ROWS:
        yield Warning("few_rows", {"n": n_rows - n_validation, "advice": FEW_ROWS})
    if not n_validation:
        yield Warning("no_validation", {})
    if share := _share(report["n_near_duplicates"], n_rows, above=0.1):
        yield Warning("near_duplicates", {"percent": share})


def _group_warnings(report: Report) -> Iterator[Warning]:
    for limit in LIMITS:
        groups = report["parts"][limit.part]["top"]
        biggest = max(groups, key=lambda group: group["n"], default=None)
        if biggest is None or biggest["n"] < 2:
            continue
        if share := _share(biggest["n"], report["n_rows"], above=limit.share):
            yield Warning(limit.code, {"percent": share, "value": biggest["label"]})


def _mixture_warnings(report: Report) -> Iterator[Warning]:
    parts, n_rows = report["parts"], report["n_rows"]
    without = parts["system_prompt"]["n_without"]
    if without and (share := _share(without, n_rows, above=0.02)) and share < 98:
        yield Warning("some_without_system", {"percent": share})
    for group in parts["language"]["top"][1:]:
        if (share := _share(group["n"], n_rows, above=0)) and share < 5:
            yield Warning("rare_language", {"percent": share, "value": group["label"]})
    if parts["turns"]["top"] == [{"label": "1", "n": n_rows}]:
        yield Warning("one_question_each", {})
    for language, percents in report["languages_by_split"].items():
        if abs(percents["train"] - percents["validation"]) >= 20:
            yield Warning("other_mixture", {"value": language, **percents})


def _share(n: int, of: int, *, above: float) -> int:
    """In whole percent, at least 1; 0 if it is not above the limit."""
    return max(1, round(100 * n / of)) if n > above * of else 0
