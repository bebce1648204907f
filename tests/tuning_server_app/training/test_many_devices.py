"""One run in several processes under `accelerate launch`: here two on the CPU."""

from typing import Any

import pytest

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import (
    CHATS,
    Event,
    losses,
    of_kind,
    train,
)
from tuning_server_app.devices import Device
from tuning_server_app.trainer_process import TrainerProcess

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


def test_two_processes_train_the_same_model_as_one(make_run):
    options: dict[str, Any] = {"batch_size": 3, "validation": CHATS[:3], "n_epochs": 2}
    alone = train(make_run("alone", **options))

    with TrainerProcess(make_run("two", **options), Device(("cpu", "cpu"))) as process:
        together = [event for event in process.events() if event]
        assert process.exit_code() == 0

    assert losses(together) == pytest.approx(losses(alone), rel=1e-3)
    for name in ("full_valid_loss", "full_valid_mean_token_accuracy"):
        assert figures(together, name) == pytest.approx(figures(alone, name), rel=1e-3)
    # Each told once, by one of the two.
    kinds = [event["type"] for event in together]
    assert kinds == ["progress", *(event["type"] for event in alone)]


def figures(events: list[Event], name: str) -> list[float]:
    return [event[name] for event in of_kind(events, "metrics") if name in event]
