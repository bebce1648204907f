"""Counts of a dataset's examples, from the rows that triggers keep."""

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from datasets_app.database import counters
from datasets_app.models import Dataset, ExampleCount, ReviewState, Split

FREEZABLE = Q(counts__is_valid=True) & ~Q(counts__state=ReviewState.REJECTED)
FREEZABLE_APPROVED = Q(counts__is_valid=True, counts__state=ReviewState.APPROVED)

SCATTERED = 20  # rows of one kind
_FOLD = """
    WITH taken AS (
        DELETE FROM datasets_app_examplecount
        RETURNING dataset_id, state, split, is_valid, n_examples, n_tokens
    )
    INSERT INTO datasets_app_examplecount
        (dataset_id, state, split, is_valid, n_examples, n_tokens)
    SELECT dataset_id, state, split, is_valid, sum(n_examples), sum(n_tokens)
    FROM taken GROUP BY 1, 2, 3, 4 HAVING sum(n_examples) <> 0
"""


def with_counts(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """The same datasets with their counts, in one query that reads no example.

    n_examples, n_tokens, n_invalid, n_<state> and n_<split>; n_freezable and
    n_freezable_approved are the rows that a version would take, and those of them that
    a reviewer approved.
    """
    parts = {
        "n_invalid": Q(counts__is_valid=False),
        "n_freezable": FREEZABLE,
        "n_freezable_approved": FREEZABLE_APPROVED,
        **{f"n_{state}": Q(counts__state=state) for state in ReviewState.values},
        **{f"n_{split}": Q(counts__split=split) for split in Split.values},
    }
    return datasets.annotate(
        n_examples=_sum("n_examples"),
        n_tokens=_sum("n_tokens"),
        **{name: _sum("n_examples", of) for name, of in parts.items()},
    )


def _sum(column: str, of: Q | None = None) -> Coalesce:
    return Coalesce(Sum(f"counts__{column}", filter=of), 0)


def recount() -> None:
    """Count all examples of all datasets anew: a long work, and never needed unless
    somebody changed the tables while the triggers were off."""
    with transaction.atomic():
        counters.recount(connection)


def fold_counts() -> None:
    """On PostgreSQL, make one row again of the many that statements have added."""
    if connection.vendor == "postgresql" and _are_scattered():
        with connection.cursor() as cursor:
            cursor.execute(_FOLD)


def _are_scattered() -> bool:
    kinds = ExampleCount.objects.values("dataset_id", "state", "split", "is_valid")
    return kinds.annotate(rows=Count("pk")).filter(rows__gt=SCATTERED).exists()
