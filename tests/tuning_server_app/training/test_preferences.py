"""DPO: the model learns which of two answers people prefer."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import log_softmax
from transformers import AutoModelForCausalLM

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import (
    PREFERENCES,
    losses,
    of_kind,
    train,
    write_lines,
)
from tuning_server_app.training.failures import RunFailed
from tuning_server_app.training.loading import load_model
from tuning_server_app.training.packed_attention import PACKED
from tuning_server_app.training.preferences import Preferences, read_pairs
from tuning_server_app.training.rows import Row

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

CPU = torch.device("cpu")
DPO: dict[str, Any] = {
    "method": "dpo",
    "chats": PREFERENCES,
    "beta": 0.5,
    "learning_rate_multiplier": 1500,
}


def read(tmp_path: Path, tokenizer: Any, rows: list[Any]) -> Any:
    write_lines(tmp_path / "pairs.jsonl", rows)
    return read_pairs(
        tmp_path / "pairs.jsonl", tokenizer, max_tokens=256, param="training_file"
    )


def log_likelihood(base: Path, row: Row) -> float:
    """What transformers itself says about one answer, without packing."""
    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager")
    with torch.no_grad():
        logits = model(torch.tensor([row.ids])).logits[0, :-1]
    targets = torch.tensor(row.ids[1:])
    found = log_softmax(logits, dim=-1)[range(len(targets)), targets]
    return float(found[torch.tensor(row.is_scored[1:])].sum())


def test_the_loss_is_the_papers(tiny_base, tokenizer, tmp_path):
    pairs = [
        replace(pair, margin=0.25) for pair in read(tmp_path, tokenizer, PREFERENCES)
    ]
    model = load_model(tiny_base, attention=PACKED)

    loss_sum, score = Preferences(0.1).score_pass(model, pairs, CPU)

    moved = [
        log_likelihood(tiny_base, pair.preferred)
        - log_likelihood(tiny_base, pair.other)
        - 0.25
        for pair in pairs
    ]
    expected = sum(math.log(1 + math.exp(-0.1 * each)) for each in moved)
    assert float(loss_sum) == pytest.approx(expected, rel=1e-4)
    assert score.n_preferred == sum(each > 0 for each in moved)
    assert score.n_pairs == len(pairs)


def test_it_learns_what_is_preferred(make_run):
    events = train(make_run(**DPO, validation=PREFERENCES[:2]))

    steps = of_kind(events, "metrics")
    assert steps[0]["train_loss"] == pytest.approx(math.log(2), rel=1e-3)
    assert steps[-1]["train_loss"] < 0.3
    assert steps[-1]["full_valid_reward_accuracy"] == 1
    assert 0 <= steps[-1]["train_mean_token_accuracy"] <= 1


def test_what_auto_means_is_told(make_run):
    folder = make_run(**DPO | {"beta": "auto", "learning_rate_multiplier": "auto"})

    [resolved] = of_kind(train(folder), "resolved")

    assert resolved["hyperparameters"] == {
        "n_epochs": 4,
        "batch_size": 2,
        "learning_rate_multiplier": 1.0,
        "beta": 0.1,
    }


def test_a_paused_run_goes_on_with_the_same_losses(make_run):
    uninterrupted = losses(train(make_run("whole", **DPO)))
    parts = make_run("parts", **DPO)

    before, after = train(parts, pause_at=3), train(parts)

    assert losses(before) + losses(after) == uninterrupted


def test_only_the_answers_are_learnt(tmp_path, tokenizer):
    row: dict[str, Any] = PREFERENCES[0]
    earlier = [
        {"role": "user", "content": "How?"},
        {"role": "assistant", "content": "So."},
    ]
    longer = {**row, "input": {"messages": earlier + row["input"]["messages"]}}

    [short], [long] = (read(tmp_path, tokenizer, [each]) for each in (row, longer))

    assert sum(long.preferred.is_scored) == sum(short.preferred.is_scored)
    assert long.n_tokens > short.n_tokens


def test_the_question_counts_once_as_trained(tmp_path, tokenizer):
    [pair] = read(tmp_path, tokenizer, PREFERENCES[:1])

    n_question = pair.preferred.is_scored.index(True)
    assert pair.preferred.ids[:n_question] == pair.other.ids[:n_question]
    assert pair.n_trained == pair.n_tokens - n_question


@pytest.mark.parametrize("missing", ["input", "preferred_output"])
def test_a_pair_that_lacks_a_part_is_named(tmp_path, tokenizer, missing):
    broken = {key: part for key, part in PREFERENCES[0].items() if key != missing}

    with pytest.raises(RunFailed, match=f"Example 2 is missing key '{missing}'"):
        read(tmp_path, tokenizer, [PREFERENCES[0], broken])
