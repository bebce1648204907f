"""Of a training file no more is read than is needed, nor more than one line at once."""

import io

import pytest

from tests.tuning_server_app.factories import opened
from tuning_server_app.training_files import lines
from tuning_server_app.training_files.checking import check_validation_file
from tuning_server_app.training_files.lines import FileRefused, numbered_lines

BAD = b"nonsense\n"


def test_after_the_problems_that_are_shown_the_rest_is_not_read():
    file = opened(BAD * 100)
    with pytest.raises(FileRefused):
        check_validation_file(file)
    assert file.tell() == 6 * len(BAD)  # one more, to know that there are more


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize("length", [10, 11, 12, 22, 23, 100])
def test_a_line_that_is_too_long_comes_cut_and_once(length: int):
    found = [*numbered_lines(opened(b"a" * length + b"\nb\n"))]
    assert found == [(1, (b"a" * length + b"\n")[:11]), (2, b"b\n")]


@pytest.mark.usefixtures("_short")
def test_a_line_that_is_too_long_is_refused():
    with pytest.raises(FileRefused, match="the line is longer than"):
        check_validation_file(io.BytesIO(b'{"messages": []}\n'))


def test_a_refusal_is_read_as_its_sentence():
    assert str(FileRefused("invalid_file_format", "Line 3.")) == "Line 3."
