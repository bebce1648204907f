from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AutoModelForCausalLM

from tuning_server_app.training import packed_attention
from tuning_server_app.training.batches import pack, passes
from tuning_server_app.training.loading import load_model
from tuning_server_app.training.packed_attention import (
    PACKED,
    SHORT_ROW,
    short_attention,
)
from tuning_server_app.training.rows import Row, RowInMemory
from tuning_server_app.training.scoring import Answers
from tuning_server_app.training.side_by_side import grouped, side_by_side

CPU = torch.device("cpu")


def make_row(length: int, *, scored_from: int = 1, first_id: int = 5) -> Row:
    ids = [first_id + (7 * place) % 200 for place in range(length)]
    return RowInMemory(ids, [place >= scored_from for place in range(length)])


ROWS = [make_row(9, scored_from=4), make_row(17, first_id=30), make_row(3)]


def plain_loss_sum(folder: Path, row: Row) -> float:
    """What transformers itself says about one row without padding or packing."""
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    labels = [
        token if scored else -100
        for token, scored in zip(row.ids, row.is_scored, strict=True)
    ]
    n_scored = sum(row.is_scored[1:])
    ids = torch.tensor([row.ids])
    with torch.no_grad():
        return float(model(ids, labels=torch.tensor([labels])).loss) * n_scored


def test_packed_rows_score_as_each_does_alone(tiny_base):
    model = load_model(tiny_base, attention=PACKED)

    loss_sum, score = Answers().score_pass(model, ROWS, CPU)

    alone = [plain_loss_sum(tiny_base, row) for row in ROWS]
    assert float(loss_sum) == pytest.approx(sum(alone), rel=1e-4)
    assert score.n_tokens == 5 + 16 + 2


def test_a_right_guess_is_counted(tiny_base):
    model = load_model(tiny_base, attention=PACKED)
    start = make_row(6).ids
    guess = int(model(torch.tensor([start]), row_lengths=[6]).logits[0, -1].argmax())
    row = RowInMemory([*start, guess], [False] * 6 + [True])

    _, score = Answers().score_pass(model, [row], CPU)

    assert (score.n_correct, score.n_tokens) == (1, 1)


def test_rows_are_shared_out_whole_and_once():
    rows = [make_row(length) for length in (900, 40, 300, 300, 7, 2000)]

    groups = passes(rows, 2, 1024)

    shared = [id(row) for group in groups for row in group]
    assert sorted(shared) == sorted(id(row) for row in rows)


def test_workers_get_about_the_same_to_do():
    groups = passes([make_row(length) for length in (200, 190, 110, 100)], 2, 1024)

    assert [sum(len(row.ids) for row in group) for group in groups] == [300, 300]


def test_a_large_step_is_cut_into_passes_that_fit_memory():
    groups = passes([make_row(100) for _ in range(60)], 2, 1024)

    assert max(sum(len(row.ids) for row in group) for group in groups) <= 512


@pytest.mark.parametrize("length", [1, 7, 40])
def test_attention_within_short_rows_is_torchs_own(length):
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, n, length, 8) for n in (6, 2, 2))

    found = short_attention(query, key, value, 0.3)

    expected = scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=0.3, enable_gqa=True
    )
    torch.testing.assert_close(found, expected)


def attended(lengths: tuple[int, ...], *, at_once: bool) -> list[Tensor]:
    """What is seen, and the gradients of query, key and value."""
    torch.manual_seed(0)
    query, key, value = (
        torch.randn(1, n_heads, sum(lengths), 8, requires_grad=True)
        for n_heads in (6, 2, 2)
    )
    seen, _ = packed_attention.packed_attention(
        torch.nn.Module(),
        query,
        key,
        value,
        None,
        row_lengths=list(lengths),
        groups=side_by_side(lengths, CPU) if at_once else None,
    )
    weights = torch.randn(seen.shape)
    return [seen, *torch.autograd.grad((seen * weights).sum(), (query, key, value))]


@pytest.mark.parametrize("lengths", [(9, 17, 3), (5,), (40, 2, 2, 2, 38, 1)])
def test_attention_side_by_side_is_that_of_one_row_after_the_other(lengths):
    found = attended(lengths, at_once=True)

    torch.testing.assert_close(found, attended(lengths, at_once=False))


def test_padding_for_attention_takes_at_most_as_much_again():
    lengths = [300, 290, 8, 7, 200, 6, 1, 150]

    groups = grouped(lengths)

    assert sorted(number for group in groups for number in group) == list(range(8))
    for group in groups:
        in_group = [lengths[number] for number in group]
        assert max(in_group) * len(group) <= 2 * sum(in_group)


def test_a_pass_on_a_gpu_has_its_rows_side_by_side():
    assert pack(ROWS).to(torch.device("meta")).groups is not None


def test_long_rows_are_left_to_torchs_kernel(monkeypatch):
    def refuse(*_):
        raise AssertionError("T × T numbers")

    monkeypatch.setattr(packed_attention, "short_attention", refuse)
    length = SHORT_ROW + 1
    query, key, value = (torch.randn(1, 1, length, 8) for _ in range(3))

    packed_attention.packed_attention(
        torch.nn.Module(), query, key, value, None, row_lengths=[length]
    )
