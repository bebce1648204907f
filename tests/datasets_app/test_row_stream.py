import pytest
from django.db import connection

from datasets_app.models import Example
from datasets_app.services import row_stream
from tests.factories import make_dataset, make_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def pieces(monkeypatch):
    """Reads the datasets' rows; returns how many came in each piece."""
    monkeypatch.setattr(row_stream, "FETCHED_ROWS", 1)
    dataset = make_dataset()
    pks = [make_example(dataset=dataset).pk for _ in range(5)]

    def read():
        found: list[int] = []
        ends = [0]
        rows = row_stream.rows_of(
            Example.objects.filter(dataset=dataset),
            "pk",
            "messages_text",
            after_piece=lambda: ends.append(len(found)),
        )
        for pk, _text in rows:
            found.append(pk)
        assert found == pks
        return [end - begin for begin, end in zip(ends, ends[1:], strict=False)]

    return read


def test_few_rows_come_at_once(pieces):
    assert pieces() == [5]


def test_long_rows_come_one_by_one(pieces, monkeypatch):
    monkeypatch.setattr(row_stream, "PIECE_BYTES", 1)

    assert pieces() == [1, 1, 1, 1, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_slowly_holds_no_transaction():
    make_example()
    next(row_stream.rows_of(Example.objects.all(), "pk"))

    assert not connection.in_atomic_block


def test_of_no_rows_none_come():
    make_example()

    assert list(row_stream.rows_of(Example.objects.filter(pk__in=[]), "pk")) == []


def test_texts_come_as_they_are_stored():
    make_example(messages=[{"role": "user", "content": "네?"}])
    (row,) = row_stream.rows_of(
        Example.objects.all(), "split", "messages_text", "tools_text"
    )

    assert row == ("train", '[{"role":"user","content":"네?"}]'.encode(), None)
