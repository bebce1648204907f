import pytest
from django.utils.timezone import now

from datasets_app.checks.signatures import SIGNATURE_BYTES
from datasets_app.models import Example, ExampleFeatures
from datasets_app.services import save_example
from datasets_app.services.checks.features import refresh_features
from tests.factories import make_dataset, make_example

pytestmark = pytest.mark.django_db


def test_every_row_is_read_once():
    dataset = make_dataset()
    example = make_example(dataset=dataset)
    make_example()  # in another dataset

    assert refresh_features(dataset) == 1
    assert refresh_features(dataset) == 0
    features = ExampleFeatures.objects.get()
    assert (features.example, features.dataset) == (example, dataset)
    assert features.answer_start == example.messages[-1]["content"]
    assert len(features.min_hashes) == SIGNATURE_BYTES


def test_a_changed_row_is_read_again_and_no_other():
    dataset = make_dataset()
    _same, example = make_example(dataset=dataset), make_example(dataset=dataset)
    refresh_features(dataset)
    example.messages[-1]["content"] = "Quite another answer."
    save_example(example, by=None)

    assert refresh_features(dataset) == 1
    example.features.refresh_from_db()
    assert example.features.answer_start == "Quite another answer."


def test_a_row_in_the_bin_is_forgotten():
    example = make_example()
    refresh_features(example.dataset)
    Example.objects.filter(pk=example.pk).update(deleted_at=now())
    refresh_features(example.dataset)

    assert not ExampleFeatures.objects.exists()


def test_progress_is_told_batch_by_batch(monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.features.ROWS_AT_ONCE", 2)
    dataset = make_dataset()
    told: list[tuple[int, int]] = []
    for _row in range(5):
        make_example(dataset=dataset)
    refresh_features(dataset, on_batch=lambda *progress: told.append(progress))

    assert told == [(0, 5), (2, 5), (4, 5)]


def test_long_rows_are_held_in_memory_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.features.MAX_SHINGLES", 10)
    dataset = make_dataset()
    for _row in range(3):
        make_example(dataset=dataset)

    assert refresh_features(dataset) == 3
    assert ExampleFeatures.objects.count() == 3
