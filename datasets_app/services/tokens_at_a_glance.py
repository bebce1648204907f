"""A dataset's tokens at a glance, from counters and the ends of an index: no row of the
dataset is read, and no more than some thousand entries of the index."""

from dataclasses import dataclass

from django.db.models import Max, Min, QuerySet, Sum

from datasets_app.models import BaseModel, CountRun, Dataset, Example, RunStatus, Split
from datasets_app.services.counting import counter_key, has_tokenizer

# More rows than this beyond the context are “more than”; a median lies in the middle
# of the index, and to walk there is quick only so far.
MOST_COUNTED = 1_000
MEDIAN_UP_TO = 100_000


@dataclass(frozen=True)
class TokenFigures:
    """Of every row that is not in the bin; `run` is the count that is not done yet."""

    model: BaseModel | None
    is_exact: bool
    run: CountRun | None
    n_rows: int
    n_tokens: int
    n_training: int
    n_validation: int
    shortest: int
    median: int | None
    longest: int
    n_beyond: int

    @property
    def average(self) -> int:
        return round(self.n_tokens / self.n_rows) if self.n_rows else 0

    @property
    def has_many_beyond(self) -> bool:
        return self.n_beyond > MOST_COUNTED

    @property
    def most_counted(self) -> int:
        return MOST_COUNTED


def token_figures(dataset: Dataset) -> TokenFigures:
    model = dataset.base_model
    rows = Example.objects.filter(dataset=dataset).order_by()
    ends = rows.aggregate(shortest=Min("n_tokens"), longest=Max("n_tokens"))
    sums = _sums(dataset)
    return TokenFigures(
        model=model,
        is_exact=model is None or has_tokenizer(model),
        run=_unfinished_run(dataset),
        **sums,
        shortest=ends["shortest"] or 0,
        median=_median(rows, sums["n_rows"]),
        longest=ends["longest"] or 0,
        n_beyond=_n_beyond(rows, model),
    )


def _sums(dataset: Dataset) -> dict[str, int]:
    parts = dataset.counts.values("split").annotate(
        rows=Sum("n_examples"), tokens=Sum("n_tokens")
    )
    of = {part["split"]: part for part in parts.order_by()}
    n_training, n_validation = (
        of[split]["tokens"] if split in of else 0 for split in Split.values
    )
    return {
        "n_rows": sum(part["rows"] for part in of.values()),
        "n_tokens": n_training + n_validation,
        "n_training": n_training,
        "n_validation": n_validation,
    }


def _unfinished_run(dataset: Dataset) -> CountRun | None:
    """The newest run, where the rows still have the numbers of another counter."""
    if dataset.counted_with == counter_key(dataset.base_model):
        return None
    newest = dataset.count_runs.first()
    return newest if newest and newest.status != RunStatus.FINISHED else None


def _median(rows: QuerySet[Example], n_rows: int) -> int | None:
    if not 0 < n_rows <= MEDIAN_UP_TO:
        return None
    sizes = rows.order_by("n_tokens", "id").values_list("n_tokens", flat=True)
    return next(iter(sizes[n_rows // 2 :][:1]), None)


def _n_beyond(rows: QuerySet[Example], model: BaseModel | None) -> int:
    if model is None:
        return 0
    beyond = rows.filter(n_tokens__gt=model.training_context_tokens)
    return beyond[: MOST_COUNTED + 1].count()
