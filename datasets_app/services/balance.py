"""The numbers of the balance report, all counted by the database in flat memory."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q, QuerySet

from datasets_app.balance import LENGTH_BOUNDS, Report
from datasets_app.chat_format import preview
from datasets_app.models import (
    Dataset,
    Example,
    ExampleFeatures,
    ReviewState,
    Split,
    Tag,
)

TOP = 12  # groups shown of each part
LABEL_LENGTH = 200


def measure(dataset: Dataset) -> Report:
    """How the rows that a version would take are distributed.

    `parts` maps each part to {"n_distinct", "n_without", "top"}; `top` is a list of
    {"label", "n"}, the biggest group first, and for lengths the buckets in order.
    """
    rows = ExampleFeatures.objects.filter(
        example__dataset=dataset, example__deleted_at=None, example__is_valid=True
    ).exclude(example__state=ReviewState.REJECTED)
    return {
        "n_rows": rows.count(),
        "n_validation": rows.filter(example__split=Split.VALIDATION).count(),
        "n_near_duplicates": _n_near_duplicates(rows),
        "languages_by_split": _languages_by_split(rows),
        "parts": {
            "tag": _tags(rows),
            "language": _groups(rows, "language"),
            "system_prompt": _texts(rows, "system_hash", "system"),
            "turns": _groups(rows, "n_turns"),
            "answer_start": _repeated(_groups(rows, "answer_start")),
            "answer": _repeated(_texts(rows, "answer_hash", "assistant")),
            "prompt_length": _lengths(rows, "prompt_length"),
            "answer_length": _lengths(rows, "answer_length"),
            "tokens": _lengths(rows, "example__n_tokens"),
        },
    }


def _n_near_duplicates(rows: QuerySet[ExampleFeatures]) -> int:
    """The rows that could go: all of each group but one."""
    grouped = rows.exclude(near_group=None)
    return grouped.count() - grouped.values("near_group").distinct().count()


def _languages_by_split(rows: QuerySet[ExampleFeatures]) -> dict[str, dict[str, int]]:
    """Language → its percent of the training and of the validation rows."""
    counted = rows.values_list("language", "example__split").annotate(n=Count("pk"))
    by_split: dict[str, dict[str, int]] = {split: {} for split in Split.values}
    for language, split, n in counted.order_by():
        by_split[split][language] = n
    if not all(by_split.values()):
        return {}
    return {
        language: {
            split: round(100 * counts.get(language, 0) / sum(counts.values()))
            for split, counts in by_split.items()
        }
        for language in sorted(
            {each for counts in by_split.values() for each in counts}
        )
    }


def _groups(rows: QuerySet[ExampleFeatures], column: str) -> dict[str, Any]:
    counted = rows.values_list(column).annotate(n=Count("pk")).order_by("-n", column)
    named = counted.exclude(**{column: ""}) if _is_text(column) else counted
    return {
        "n_distinct": named.count(),
        "n_without": rows.filter(**{column: ""}).count() if _is_text(column) else 0,
        "top": [_group(value, n) for value, n in named[:TOP]],
    }


def _is_text(column: str) -> bool:
    return column in {"language", "answer_start", "system_hash", "answer_hash"}


def _group(value: Any, n: int) -> dict[str, Any]:
    return {"label": str(value)[:LABEL_LENGTH], "n": n}


def _texts(rows: QuerySet[ExampleFeatures], column: str, role: str) -> dict[str, Any]:
    """Groups that are known by a hash; shown by what one of their rows says."""
    part = _groups(rows, column)
    for group in part["top"]:
        holder = rows.filter(**{column: group["label"]}).values("example")[:1]
        example = Example.with_deleted.filter(pk__in=holder).first()
        text = (
            preview(example.messages, role, last=role == "assistant") if example else ""
        )
        group["label"] = text[:LABEL_LENGTH]
    return part


def _repeated(part: dict[str, Any]) -> dict[str, Any]:
    """Without what stands in one row only."""
    return {**part, "top": [group for group in part["top"] if group["n"] > 1]}


def _tags(rows: QuerySet[ExampleFeatures]) -> dict[str, Any]:
    used = Tag.objects.filter(example__in=rows.values("example"))
    counted = used.annotate(n_rows=Count("example")).order_by("-n_rows", "name")
    named = counted.values_list("name", "n_rows")
    return {
        "n_distinct": named.count(),
        "n_without": rows.filter(example__tags=None).count(),
        "top": [_group(name, n) for name, n in named[:TOP]],
    }


def _lengths(rows: QuerySet[ExampleFeatures], column: str) -> dict[str, Any]:
    """How many rows lie between each two bounds; empty ends are left off."""
    spans = list(zip(LENGTH_BOUNDS, [*LENGTH_BOUNDS[1:], None], strict=True))
    names = {_span_label(*span): _between(column, *span) for span in spans}
    counts = rows.aggregate(
        **{f"n{i}": Count("pk", filter=span) for i, span in enumerate(names.values())}
    )
    buckets = [{"label": name, "n": counts[f"n{i}"]} for i, name in enumerate(names)]
    return {"n_distinct": 0, "n_without": 0, "top": _without_empty_ends(buckets)}


def _between(column: str, low: int, high: int | None) -> Q:
    above = Q(**{f"{column}__gte": low})
    return above if high is None else above & Q(**{f"{column}__lt": high})


def _span_label(low: int, high: int | None) -> str:
    if high is None:
        return f"≥ {low:,}"
    return str(low) if high == low + 1 else f"{low:,}–{high - 1:,}"


def _without_empty_ends(buckets: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = list(buckets)
    while kept and not kept[-1]["n"]:
        kept.pop()
    while kept and not kept[0]["n"]:
        kept.pop(0)
    return kept
