import json

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import (
    CHATS,
    losses,
    of_kind,
    train,
)
from tuning_server_app.training import memory_budget
from tuning_server_app.training.loading import load_model

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


def test_a_run_reports_itself_from_loading_to_the_finished_model(make_run):
    events = train(make_run())

    kinds = [event["type"] for event in events]
    epoch = ["metrics", "metrics", "metrics", "checkpoint"]
    assert kinds == ["progress", "progress", "resolved", *epoch * 4, "finished"]
    resolved, finished = events[2], events[-1]
    assert resolved["total_steps"] == 12
    assert resolved["n_rows"] == 6
    assert resolved["base_learning_rate"] == 1e-4
    assert finished["trained_tokens"] == resolved["n_tokens"] * 4
    assert finished["folder"] == "checkpoints/step-12"


def test_it_learns(make_run):
    seen = losses(train(make_run(n_epochs=10)))

    assert sum(seen[-3:]) < 0.5 * sum(seen[:3])


def test_the_same_seed_gives_the_same_losses_and_the_same_weights(make_run):
    first, again = make_run("first"), make_run("again")

    assert losses(train(first)) == losses(train(again))
    name = "checkpoints/step-12/adapter_model.safetensors"
    weights, weights_again = load_file(first / name), load_file(again / name)
    assert all(torch.equal(weights[key], weights_again[key]) for key in weights)


def test_another_seed_gives_other_losses(make_run):
    assert losses(train(make_run("a", seed=1))) != losses(train(make_run("b", seed=2)))


def test_the_loss_of_a_step_does_not_depend_on_how_memory_cuts_it(
    make_run, monkeypatch
):
    whole = losses(train(make_run("whole", batch_size=6)))
    monkeypatch.setitem(memory_budget.TOKENS_AT_ONCE, "cpu", 30)
    cut = losses(train(make_run("cut", batch_size=6)))

    assert cut == pytest.approx(whole, rel=1e-3)


def test_each_epoch_leaves_weights_that_can_be_loaded(make_run, tiny_base):
    folder = make_run()
    events = train(folder)

    reported = [event["folder"] for event in of_kind(events, "checkpoint")]
    assert reported == [f"checkpoints/step-{step}" for step in (3, 6, 9, 12)]
    ids = torch.tensor([[5, 6, 7]])
    base = load_model(tiny_base)
    before = base(ids).logits
    tuned = PeftModel.from_pretrained(base, folder / reported[0])
    assert not torch.equal(tuned(ids).logits, before)


def test_a_validation_file_is_scored_in_full_at_the_end_of_each_epoch(make_run):
    events = train(make_run(validation=CHATS[:2]))

    full = [
        event["step"]
        for event in of_kind(events, "metrics")
        if "full_valid_loss" in event
    ]
    assert full == [3, 6, 9, 12]
    checkpoint = of_kind(events, "checkpoint")[-1]["metrics"]
    assert set(checkpoint) == {"step"} | {
        f"{kind}_{what}"
        for kind in ("train", "valid", "full_valid")
        for what in ("loss", "mean_token_accuracy")
    }


def test_training_goes_on_from_an_adapter(make_run):
    first = make_run("first", n_epochs=10)
    trained = train(first)
    adapter = first / trained[-1]["folder"]

    went_on = train(make_run("second", start_from=adapter))

    assert losses(went_on)[0] < 0.7 * losses(trained)[0]


def test_the_first_step_already_moves_the_weights(make_run):
    events = train(make_run())

    rates = [event["learning_rate"] for event in of_kind(events, "metrics")]
    assert rates[0] > 0
    assert min(rates) > 0


def test_a_bad_example_fails_the_run_with_its_number(make_run):
    events = train(make_run(chats=[CHATS[0], "{"]))

    assert events[-1]["type"] == "failed"
    assert events[-1]["code"] == "invalid_file_format"
    assert events[-1]["param"] == "training_file"
    assert "Example 2: the line is not valid JSON" in events[-1]["message"]


def test_a_bad_validation_file_is_named_as_such(make_run):
    events = train(make_run(validation=["{"]))

    assert events[-1]["param"] == "validation_file"


def test_a_rate_at_which_the_loss_explodes_is_explained(make_run):
    events = train(make_run(learning_rate_multiplier=1e30))

    assert events[-1]["code"] == "invalid_hyperparameters"
    assert "smaller learning_rate_multiplier" in events[-1]["message"]


def test_missing_weights_of_the_base_model_are_explained(make_run):
    folder = make_run()
    config = json.loads((folder / "run.json").read_text())
    config["base_model"]["source"] = str(folder / "nowhere")
    (folder / "run.json").write_text(json.dumps(config))

    events = train(folder)

    assert events[-1]["code"] == "base_model_unavailable"
    assert "nowhere" in events[-1]["message"]


def test_whatever_else_goes_wrong_is_reported_too(make_run):
    folder = make_run()
    (folder / "run.json").write_text("{}")

    events = train(folder)

    assert events[-1]["code"] == "server_error"
    assert "KeyError" in events[-1]["message"]
