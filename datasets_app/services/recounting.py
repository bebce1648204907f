"""Counting a dataset's tokens anew after its base model changed.

`Dataset.counted_with` names the counter that the rows' numbers come from. Where it is
not the one of the base model, a CountRun is due; the tick finds it.
"""

from contextlib import suppress
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from datasets_app.models import BaseModel, CountRun, Dataset, Example, RunStatus
from datasets_app.services import runs
from datasets_app.services.check_requests import rows_changed
from datasets_app.services.counting import counter_key, counter_of
from datasets_app.services.examples import record_of
from datasets_app.token_counts import Counter
from teams_app import audit
from teams_app.models import Verb

# Ids, not rows: a range of the primary key costs the same in every database.
IDS_AT_ONCE = 2_000
UNDER_WAY = (RunStatus.PENDING, RunStatus.RUNNING)
_STORE = """
    UPDATE datasets_app_example SET n_tokens = counted.column2
    FROM (VALUES {rows}) AS counted
    WHERE datasets_app_example.id = counted.column1
        AND datasets_app_example.content_hash = counted.column3
"""


def choose_base_model(
    dataset: Dataset, model: BaseModel | None, *, by: Any
) -> CountRun | None:
    """Count the dataset's tokens for this model from now on; see `begin_count`."""
    dataset.base_model = model
    dataset.clean()
    with transaction.atomic():
        dataset.save(update_fields=["base_model"])
        audit.record(Verb.CHANGED, dataset, by=by, base_model=model and model.name)
    rows_changed(dataset.pk)
    return begin_count(dataset, by=by)


def begin_count(dataset: Dataset, *, by: Any) -> CountRun | None:
    """The run that a worker should count the dataset with; None if all is counted."""
    wanted = counter_key(dataset.base_model)
    with transaction.atomic():
        locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
        if not Example.with_deleted.filter(dataset=dataset).exists():
            locked.counted_with = wanted
            locked.save(update_fields=["counted_with"])
        dataset.counted_with = locked.counted_with
        is_due = locked.counted_with != wanted
        under_way = None
        for run in dataset.count_runs.filter(status__in=UNDER_WAY):
            if is_due and run.counter == wanted:
                under_way = run
            else:
                runs.cancel(run)
        if is_due and under_way is None:
            under_way = CountRun.objects.create(
                dataset=dataset, counter=wanted, created_by=by
            )
        return under_way


def recount_if_stale(dataset: Dataset, *, counted_with: str) -> None:
    """Rows just added were counted for the base model before: the tick sees to it.

    The caller holds the dataset's lock, so no count of it ends meanwhile.
    """
    if counted_with != counter_key(dataset.base_model):
        Dataset.objects.filter(pk=dataset.pk).update(counted_with="")


def begin_due_counts() -> list[int]:
    """Ids of new runs for datasets whose counter is another by now: a base model was
    edited, or its tokenizer came. What failed or was cancelled is not begun again."""
    return [run.pk for dataset in _outdated() if (run := _begin_once(dataset))]


def _outdated() -> list[Dataset]:
    datasets = Dataset.objects.select_related("base_model")
    return [d for d in datasets if counter_key(d.base_model) != d.counted_with]


def _begin_once(dataset: Dataset) -> CountRun | None:
    wanted = counter_key(dataset.base_model)
    newest = dataset.count_runs.first()
    if newest and newest.counter == wanted and newest.status != RunStatus.FINISHED:
        return None
    return begin_count(dataset, by=None)


def run_count(run: CountRun) -> None:
    """Count every row, those in the bin too; goes on where a dead process stopped."""
    if not runs.claim(run):
        return
    with suppress(runs.LostClaim):
        if runs.has_failed_too_often(run):
            runs.end(run, RunStatus.FAILED)
            return
        _count_rows(run)


def _count_rows(run: CountRun) -> None:
    if not run.last_pk:
        _set_out(run)
    while (counter := _counter_for(run)) and not _end_if_done(run):
        last_pk = run.last_pk + IDS_AT_ONCE
        rows = Example.with_deleted.filter(
            dataset=run.dataset_id, pk__gt=run.last_pk, pk__lte=last_pk
        )
        with transaction.atomic():
            _store_counts(list(rows.defer("text", "problems")), counter)
            _advance(run, last_pk)


def _set_out(run: CountRun) -> None:
    rows = Example.with_deleted.filter(dataset=run.dataset_id)
    ids = rows.aggregate(first=Min("pk"), last=Max("pk"))
    if ids["first"] is not None:
        n_total = ids["last"] - ids["first"] + 1
        runs.update(run, last_pk=ids["first"] - 1, n_total=n_total)


def _advance(run: CountRun, last_pk: int) -> None:
    n_done = min(run.n_total, run.n_done + last_pk - run.last_pk)
    runs.update(run, last_pk=last_pk, n_done=n_done)


def _counter_for(run: CountRun) -> Counter | None:
    """The dataset's counter as it is now; None, and the run is over, if it changed."""
    model = BaseModel.objects.filter(dataset=run.dataset_id).first()
    counter = counter_of(model)
    if counter.key == run.counter:
        return counter
    runs.end(run, RunStatus.CANCELLED)
    return None


def _end_if_done(run: CountRun) -> bool:
    """No row is behind the last one counted, and none is added while we look."""
    with transaction.atomic():
        Dataset.objects.select_for_update().filter(pk=run.dataset_id).first()
        left = Example.with_deleted.filter(dataset=run.dataset_id, pk__gt=run.last_pk)
        next_pk = left.order_by("pk").values_list("pk", flat=True).first()
        if next_pk is not None:
            _advance(run, next_pk - 1)  # a leap over other datasets' rows
            return False
        Dataset.objects.filter(pk=run.dataset_id).update(counted_with=run.counter)
        runs.end(run, RunStatus.FINISHED, n_done=run.n_total)
        rows_changed(run.dataset_id)  # which of them are too long is another question
        return True


def _store_counts(examples: list[Example], counter: Counter) -> None:
    """One statement; a row that was edited meanwhile was counted by its editor."""
    counts = counter.count_all([record_of(example) for example in examples])
    changed = [
        (example.pk, n_tokens, example.content_hash)
        for example, n_tokens in zip(examples, counts, strict=True)
        if example.n_tokens != n_tokens
    ]
    if not changed:
        return
    places = ", ".join(["(%s, %s, %s)"] * len(changed))
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE.format(rows=places), [value for row in changed for value in row]
        )
