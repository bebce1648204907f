"""A run that stood still goes on as if it never had."""

import shutil

import pytest
import torch
from safetensors.torch import load_file

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import CHATS, losses, of_kind, train
from tuning_server_app.run_files import STATES

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

WEIGHTS = "checkpoints/step-12/adapter_model.safetensors"


@pytest.mark.parametrize("step", [4, 6])  # amid an epoch, and at the end of one
def test_a_paused_run_goes_on_to_the_same_model(make_run, step):
    whole, parts = make_run("whole"), make_run("parts")
    uninterrupted = train(whole)

    before = train(parts, pause_at=step)
    after = train(parts)

    assert before[-1] == {"type": "paused", "step": step}
    assert losses(before) + losses(after) == losses(uninterrupted)
    assert after[-1] == uninterrupted[-1]
    weights, other = load_file(whole / WEIGHTS), load_file(parts / WEIGHTS)
    assert all(torch.equal(weights[key], other[key]) for key in weights)


def test_a_run_that_died_goes_on_from_its_last_state(make_run):
    whole, killed = make_run("whole"), make_run("killed")
    uninterrupted = losses(train(whole))
    train(killed, pause_at=5)
    unfinished = (
        killed / STATES / ".step-9-unfinished"
    )  # what a kill amid saving leaves
    shutil.copytree(killed / STATES / "step-5", unfinished)
    (unfinished / "optimizer.pt").write_bytes(b"half")

    assert losses(train(killed)) == uninterrupted[5:]


def test_seconds_of_training_are_counted_on(make_run):
    folder = make_run()
    before = of_kind(train(folder, pause_at=5), "metrics")

    after = of_kind(train(folder), "metrics")

    assert after[0]["seconds"] > before[-1]["seconds"]


def test_only_the_newest_state_is_kept(make_run):
    folder = make_run()
    train(folder, pause_at=4)
    train(folder, pause_at=8)

    assert [path.name for path in (folder / STATES).iterdir()] == ["step-8"]


def test_a_pause_after_the_last_step_comes_too_late(make_run):
    assert train(make_run(), pause_at=12)[-1]["type"] == "finished"


def test_validation_goes_on_with_the_same_samples(make_run):
    whole = make_run("whole", validation=CHATS)
    parts = make_run("parts", validation=CHATS)
    sampled = [event.get("valid_loss") for event in of_kind(train(whole), "metrics")]

    train(parts, pause_at=5)
    after = [event.get("valid_loss") for event in of_kind(train(parts), "metrics")]

    assert after == sampled[5:]
