"""Putting texts into the search index, behind the changes that wait for it."""

from time import monotonic

from django.db import connection, transaction

from datasets_app.database import text_index
from datasets_app.models import Example, UnindexedText

ROWS_AT_ONCE = 400  # about a tenth of a second of SQLite's only write lock


def has_unindexed_texts() -> bool:
    return UnindexedText.objects.exists()


def index_texts(*, max_seconds: float = 30) -> int:
    """Learn waiting texts until none is left or the time is up; returns how many."""
    began, n_learnt = monotonic(), 0
    while monotonic() - began < max_seconds:
        n_more = _learn_some()
        n_learnt += n_more
        if not n_more:
            break
    return n_learnt


def _learn_some() -> int:
    """One piece of the work; 0 if there is none left, or if another process does it.

    The notes are read before the texts: a text that changes later has a later note.
    """
    waiting = UnindexedText.objects.order_by("pk").values_list("pk", "example_pk")
    notes = dict(waiting[:ROWS_AT_ONCE])
    if not notes:
        return 0
    rows = Example.with_deleted.filter(pk__in=set(notes.values()))
    texts = rows.order_by().values_list("pk", "dataset_id", "text")
    pieces = {pk: text_index.pieces_of(of, text) for pk, of, text in texts.iterator()}
    with transaction.atomic():
        n_taken, _by_model = UnindexedText.objects.filter(pk__in=notes).delete()
        if n_taken < len(notes):
            transaction.set_rollback(True)
            return 0
        text_index.write(connection, pieces)
    return len(notes)


def reindex() -> None:
    """Empty the index; every text waits for it again."""
    with transaction.atomic():
        text_index.learn_anew(connection)
