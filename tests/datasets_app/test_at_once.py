"""Two processes at the same moment, on a database that really lets them.

SQLite admits one writer at a time, from BEGIN IMMEDIATE on; what these tests guard
against cannot happen there.
"""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from datasets_app import services
from datasets_app.models import Dataset, DatasetVersion, Example, Split
from tests.factories import chat_lines, make_dataset, make_example

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time"),
]


def at_once(*works: Callable[[], object]) -> None:
    barrier = Barrier(len(works))

    def do(work: Callable[[], object]) -> None:
        try:
            barrier.wait()
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(do, works))


def test_two_versions_get_two_numbers():
    dataset = make_example().dataset

    def freeze() -> None:
        services.freeze(dataset=Dataset.objects.get(pk=dataset.pk), by=None)

    at_once(*[freeze] * 4)

    numbers = DatasetVersion.objects.values_list("number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4]


def test_two_imports_add_a_row_once():
    dataset = make_dataset()

    def do_import() -> None:
        run = services.start_import(
            dataset=Dataset.objects.get(pk=dataset.pk),
            file=io.BytesIO(chat_lines(500)),
            file_name="rows.jsonl",
            split=Split.TRAIN,
        )
        services.run_import(run)

    at_once(*[do_import] * 3)

    positions = Example.objects.values_list("position", flat=True)
    assert sorted(positions) == list(range(500))
