"""Memory that runs out: smaller passes with the same results, then a clear failure."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import CHATS, losses, of_kind, train
from tuning_server_app.training.scoring import Answers
from tuning_server_app.training.workers import Workers

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

Room = Callable[[int], None]


@pytest.fixture
def room_for(monkeypatch: pytest.MonkeyPatch) -> Room:
    """From now on, a pass of more tokens runs out of memory."""
    score_pass = Answers.score_pass

    def limit(n_tokens: int) -> None:
        def limited(self: Answers, model: Any, examples: Any, device: Any) -> Any:
            if sum(row.n_tokens for row in examples) > n_tokens:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return score_pass(self, model, examples, device)

        monkeypatch.setattr(Answers, "score_pass", limited)

    return limit


def test_a_step_that_does_not_fit_is_done_in_smaller_passes(make_run, room_for):
    plenty = train(make_run("plenty", batch_size=6))
    room_for(80)
    tight = train(make_run("tight", batch_size=6))

    assert losses(tight) == pytest.approx(losses(plenty), rel=1e-3)
    assert tight[-1] == plenty[-1]
    told = [event["message"] for event in of_kind(tight, "warning")]
    assert 1 <= len(told) <= 3
    assert all("the batch size stays the same" in message for message in told)


def test_a_validation_that_does_not_fit_is_cut_likewise(make_run, room_for):
    room_for(80)
    events = train(make_run(batch_size=1, n_epochs=1, validation=CHATS))

    assert "full_valid_loss" in of_kind(events, "metrics")[-1]


def test_what_fitted_before_a_pause_is_known_after_it(make_run, room_for):
    room_for(80)
    folder = make_run(batch_size=6)
    assert of_kind(train(folder, pause_at=2), "warning")

    assert not of_kind(train(folder), "warning")


def test_a_run_that_was_killed_holds_less_in_memory(make_run, room_for):
    room_for(128)

    assert not of_kind(train(make_run(batch_size=6, n_halvings=3)), "warning")


def test_when_one_example_alone_is_too_much_the_run_fails_and_says_so(
    make_run, room_for
):
    room_for(20)
    events = train(make_run())

    assert events[-1]["type"] == "failed"
    assert events[-1]["code"] == "out_of_memory"
    assert "Shorten the longest examples" in events[-1]["message"]


def test_another_error_is_no_lack_of_memory(make_run, monkeypatch):
    def break_down(*_: Any) -> None:
        raise RuntimeError("device-side assert")

    monkeypatch.setattr(Answers, "score_pass", break_down)
    events = train(make_run())

    assert (events[-1]["code"], of_kind(events, "warning")) == ("server_error", [])


def test_an_error_comes_out_when_nothing_of_its_round_is_in_memory_any_more():
    done = []

    def work(number: int) -> None:
        if number == 0:
            raise MemoryError
        done.append(number)

    with pytest.raises(MemoryError):
        list(Workers(torch.device("cpu")).map(work, [0, 1, 2, 3], at_once=4))
    assert sorted(done) == [1, 2, 3]
