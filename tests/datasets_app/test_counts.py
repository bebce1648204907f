"""Counts that nobody counts: they must be right whoever changes the examples."""

import random
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.utils.timezone import now

from datasets_app import services
from datasets_app.database import install
from datasets_app.models import Dataset, Example, ExampleCount, ReviewState, Split
from tests.factories import chat_lines, make_dataset, make_example

pytestmark = pytest.mark.django_db


def counted(dataset: Dataset) -> dict[str, Any]:
    with_counts = services.with_counts(Dataset.objects.filter(pk=dataset.pk))
    return {
        name: value
        for name, value in with_counts.values().get().items()
        if name.startswith("n_")
    }


def real(dataset: Dataset) -> dict[str, int]:
    rows = Example.objects.filter(dataset=dataset)
    freezable = rows.filter(is_valid=True).exclude(state=ReviewState.REJECTED)
    return {
        "n_examples": rows.count(),
        "n_tokens": rows.aggregate(n=Sum("n_tokens"))["n"] or 0,
        "n_invalid": rows.filter(is_valid=False).count(),
        "n_freezable": freezable.count(),
        "n_freezable_approved": freezable.filter(state=ReviewState.APPROVED).count(),
        **{f"n_{s}": rows.filter(state=s).count() for s in ReviewState.values},
        **{f"n_{s}": rows.filter(split=s).count() for s in Split.values},
    }


def import_some(dataset: Dataset, chance: random.Random) -> None:
    file = BytesIO(chat_lines(chance.randrange(30)))
    services.run_import(
        services.start_import(
            dataset=dataset,
            file=file,
            file_name="rows.jsonl",
            split=chance.choice(Split.values),
        )
    )


def write_one(dataset: Dataset, chance: random.Random) -> None:
    make_example(dataset=dataset, messages=chance.choice([[], [{"role": "user"}]]))


def change_many(dataset: Dataset, chance: random.Random) -> None:
    field, value = chance.choice(
        [
            ("state", chance.choice(ReviewState.values)),
            ("split", chance.choice(Split.values)),
            ("n_tokens", chance.randrange(100)),
            ("is_valid", chance.random() < 0.5),
            ("deleted_at", now() if chance.random() < 0.5 else None),
            ("reject_reason", "changes no count"),
        ]
    )
    some(dataset, chance).update(**{field: value})


def move_away(dataset: Dataset, chance: random.Random) -> None:
    some(dataset, chance).update(dataset=make_dataset(team=dataset.team))


def delete_some(dataset: Dataset, chance: random.Random) -> None:
    some(dataset, chance).delete()


def edit_one(dataset: Dataset, chance: random.Random) -> None:
    if example := Example.objects.filter(dataset=dataset).order_by("?").first():
        example.messages = [{"role": "user", "content": "x" * chance.randrange(9)}]
        services.save_example(example, by=None)


def some(dataset: Dataset, chance: random.Random) -> Any:
    rows = Example.with_deleted.filter(dataset=dataset).order_by("pk")
    pks = list(rows.values_list("pk", flat=True))
    chosen = chance.sample(pks, len(pks) // 3)
    return Example.with_deleted.filter(pk__in=chosen)


CHANGES = (import_some, write_one, change_many, move_away, delete_some, edit_one)


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_right_after_any_changes(seed):
    chance, dataset = random.Random(seed), make_dataset()
    import_some(dataset, chance)

    for _step in range(40):
        chance.choice(CHANGES)(dataset, chance)
        if chance.random() < 0.2:
            services.fold_counts()
        assert counted(dataset) == real(dataset)


def test_an_empty_dataset_counts_nothing():
    assert set(counted(make_dataset()).values()) == {0}


def test_a_deleted_dataset_takes_its_counts_with_it():
    dataset = make_example().dataset

    dataset.delete()

    left = ExampleCount.objects.aggregate(n=Sum("n_examples"))["n"]
    assert not left


def test_counts_read_no_example(django_assert_num_queries):
    make_example()

    with django_assert_num_queries(1) as queries:
        services.with_counts(Dataset.objects.all()).get()

    assert 'datasets_app_example"' not in queries[0]["sql"]


def test_recount_mends_counts_that_are_wrong():
    dataset = make_example().dataset
    ExampleCount.objects.update(n_examples=7)

    call_command("recount", stdout=StringIO())

    assert counted(dataset) == real(dataset)


def test_triggers_that_were_gone_come_back_with_right_counts():
    dataset = make_dataset()
    install.remove(connection)
    make_example(dataset=dataset)

    install.install(connection)

    make_example(dataset=dataset)
    assert counted(dataset)["n_examples"] == 2


def test_many_counts_of_a_kind_are_folded():
    dataset = make_dataset()
    for _n in range(25):
        make_example(dataset=dataset)

    services.fold_counts()

    assert ExampleCount.objects.count() == 1
    assert counted(dataset) == real(dataset)
