"""Two processes at the same moment, on a database that really lets them.

SQLite admits one writer at a time, from BEGIN IMMEDIATE on; what these tests guard
against cannot happen there.
"""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from datasets_app import services
from datasets_app.models import (
    Dataset,
    DatasetVersion,
    Example,
    ExampleRevision,
    Split,
)
from teams_app.models import Role, User
from tests.datasets_app.test_admin_examples import form_of
from tests.factories import chat_lines, make_dataset, make_example, make_member

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
    assert sorted(positions) == list(range(1, 501))


def test_of_two_people_who_save_one_example_the_second_is_told():
    example = make_example()
    people = [make_member(Role.CURATOR, example.dataset.team) for _ in range(3)]
    url = reverse("admin:datasets_app_example_change", args=[example.pk])
    answers = []

    def save(person: User) -> None:
        client = Client()
        client.force_login(person)
        said = [{"role": "assistant", "content": f"By {person}"}]
        data = form_of(example, messages=json.dumps(said))
        answers.append(client.post(url, data).status_code)

    at_once(*[partial(save, person) for person in people])

    assert sorted(answers) == [200, 200, 302]  # two are shown the conflict
    assert ExampleRevision.objects.count() == 2
