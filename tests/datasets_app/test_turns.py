"""While two threads share the interpreter, and afterwards."""

import gc
import sys

import pytest

from datasets_app.services.turns import TURN_SECONDS, quick_turns


def test_turns_are_short_only_while_the_block_runs():
    usual = sys.getswitchinterval()
    with quick_turns():
        assert sys.getswitchinterval() == pytest.approx(TURN_SECONDS)

    assert sys.getswitchinterval() == usual


def test_after_an_error_everything_is_as_before():
    usual = sys.getswitchinterval()
    with pytest.raises(OSError, match="gone"), quick_turns():
        raise OSError("gone")

    assert sys.getswitchinterval() == usual
    assert gc.get_freeze_count() == 0
