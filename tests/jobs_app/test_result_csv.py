import base64
import csv
from collections.abc import Iterator

import pytest

from jobs_app import result_csv
from jobs_app.result_csv import points_of

OPENAI = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
AZURE = (
    b"step,train_loss,train_mean_token_accuracy,valid_loss,"
    b"validation_mean_token_accuracy,full_valid_loss,full_valid_mean_token_accuracy\n"
)


def test_openais_file_comes_in_base64_with_an_older_name():
    content = base64.b64encode(OPENAI + b"1,2.5,0.4,,\n2,1.5,0.6,1.8,0.5\n")

    assert points_of(content) == [
        {"step": 1, "train_loss": 2.5, "train_mean_token_accuracy": 0.4},
        {
            "step": 2,
            "train_loss": 1.5,
            "train_mean_token_accuracy": 0.6,
            "valid_loss": 1.8,
            "valid_mean_token_accuracy": 0.5,
        },
    ]


def test_azures_file_is_plain_with_a_bom_and_names_of_its_own():
    content = b"\xef\xbb\xbf" + (AZURE + b"1,2.5,0.4,1.8,0.5,-1,-1\n")

    assert points_of(content.replace(b"\n", b"\r\n")) == [
        {
            "step": 1,
            "train_loss": 2.5,
            "train_mean_token_accuracy": 0.4,
            "valid_loss": 1.8,
            "valid_mean_token_accuracy": 0.5,
        }
    ]


def test_base64_may_be_cut_into_lines_and_hide_a_bom():
    content = base64.encodebytes(b"\xef\xbb\xbf" + OPENAI + b"1,2.5,,,\n" * 20)

    assert points_of(content) == [{"step": 1, "train_loss": 2.5}]


def test_a_loss_of_nothing_is_a_figure():
    assert points_of(b"step,train_loss\n1,0.0\n") == [{"step": 1, "train_loss": 0.0}]


def test_rows_of_the_same_step_are_one_point_and_steps_are_in_order():
    content = b"step,train_loss,full_valid_loss\n2,0.5,\n1,0.9,\n2,,0.7\n"

    assert points_of(content) == [
        {"step": 1, "train_loss": 0.9},
        {"step": 2, "train_loss": 0.5, "full_valid_loss": 0.7},
    ]


def test_other_separators_quotes_and_utf16_are_read():
    content = '"Step";"Train loss"\n"1.0";"2.5"\n'

    assert points_of(content.encode("utf-16")) == [{"step": 1, "train_loss": 2.5}]
    assert points_of(b"step\ttrain_loss\n1\t2.5\n") == [{"step": 1, "train_loss": 2.5}]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"<html>not found</html>",
        b"epoch,loss\n1,2\n",
        b"step,train_loss\n,1\nnan,1\n1.5,1\n-3,1\ninf,2\nlast,3\n",
        b"\xff\xfe\x00",
        b"YWJj",
        b"step," + b"x" * 200_000,
    ],
)
def test_what_is_no_table_of_steps_gives_no_points(content):
    assert points_of(content) == []


def test_odd_numbers_are_left_out():
    content = b"step,train_loss,valid_loss,note\n1,nan,inf,good\n2,,,\n"

    assert points_of(content) == [{"step": 1}, {"step": 2}]


def test_what_is_too_much_is_left(monkeypatch):
    monkeypatch.setattr(result_csv, "MOST_POINTS", 2)
    monkeypatch.setattr(result_csv, "MOST_COLUMNS", 2)
    content = b"step,train_loss,more\n1,0.5,7\n2,0.5,7\n3,0.5,7\n"

    assert points_of(content) == [{"step": n, "train_loss": 0.5} for n in (1, 2)]


def test_a_long_name_is_cut():
    content = b"step," + b"n" * 99 + b"\n1,0.5\n"
    assert points_of(content) == [{"step": 1, "n" * 60: 0.5}]


def test_a_column_without_a_name_and_a_file_without_steps_say_nothing():
    assert points_of(b"step,,train_loss\n1,7,0.5\n") == [{"step": 1, "train_loss": 0.5}]
    assert points_of(b"train_loss,valid_loss\n0.5,0.6\n") == []


def test_steps_alone_are_no_base64():
    assert points_of(b"step\n1\n2\n") == [{"step": 1}, {"step": 2}]


@pytest.fixture
def _short_cells() -> Iterator[None]:
    before = csv.field_size_limit(100)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("_short_cells")
def test_before_a_cell_without_end_all_is_kept():
    content = b'step,train_loss\n1,0.5\n2,"' + b"x" * 200
    assert points_of(content) == [{"step": 1, "train_loss": 0.5}]
