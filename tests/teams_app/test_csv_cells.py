"""A line of a CSV file is read back as it was written, but for what would run."""

import csv

import pytest

from teams_app.csv_cells import csv_line, tame, untame


@pytest.mark.parametrize("cell", ["a,b", 'say "x"', '"', "two\nlines", "c\rd", ""])
def test_a_cell_is_one_cell_again(cell):
    assert list(csv.reader([csv_line(["1", cell, "2"])], strict=True)) == [
        ["1", cell, "2"]
    ]


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "'plain", "plain", "-7", ""])
def test_what_was_tamed_is_given_back(text):
    assert untame(tame(text)) == text


def test_what_was_never_tamed_is_left():
    assert untame("=1+1") == "=1+1"
    assert untame("'plain") == "'plain"


def test_a_cell_is_quoted_only_where_it_must_be():
    assert csv_line(["a b", "7", ""]) == "a b,7,\r\n"
