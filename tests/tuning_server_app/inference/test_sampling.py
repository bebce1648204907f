from collections import Counter
from typing import Any

import pytest
import torch

from tests.tuning_server_app.inference.models import make_request
from tuning_server_app.inference import sampling
from tuning_server_app.inference.sampling import Sampler

LOGITS = [1.0, 3.0, 2.5, -1.0]


def sampler(seed: int = 1, **fields: Any) -> Sampler:
    return Sampler(make_request(**fields), seed, None)


def drawn(n: int = 300, **fields: Any) -> Counter[int]:
    one = sampler(temperature=1.0, **fields)
    return Counter(one.choose(torch.tensor(LOGITS)) for _ in range(n))


def test_without_temperature_the_likeliest_is_taken():
    assert sampler().choose(torch.tensor(LOGITS)) == 1


def test_draws_are_as_frequent_as_the_tokens_are_likely():
    expected = torch.softmax(torch.tensor(LOGITS), dim=-1)
    counts = drawn(3000)

    for token, share in enumerate(expected):
        assert counts[token] / 3000 == pytest.approx(float(share), abs=0.03)


def test_top_p_leaves_only_the_likeliest():
    assert set(drawn(top_p=0.5)) == {1}
    assert set(drawn(top_p=0.9)) == {1, 2}


def test_top_p_is_the_same_where_many_tokens_are_needed(monkeypatch):
    few = drawn(top_p=0.9)
    monkeypatch.setattr(sampling, "LIKELIEST", 1)

    assert drawn(top_p=0.9) == few


def test_a_bias_makes_a_token_likelier_or_impossible():
    assert sampler(logit_bias=((3, 100.0),)).choose(torch.tensor(LOGITS)) == 3
    assert sampler(logit_bias=((1, -100.0),)).choose(torch.tensor(LOGITS)) == 2


@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty"])
def test_a_penalty_lets_others_have_their_turn(name):
    penalty: dict[str, Any] = {name: 1.0}
    one = sampler(**penalty)
    taken = [one.choose(torch.tensor(LOGITS)) for _ in range(2)]

    assert taken == [1, 2]


def test_only_the_frequency_penalty_grows():
    logits = [1.0, 3.5, 0.0, 0.0]
    often = sampler(frequency_penalty=1.0)
    once = sampler(presence_penalty=1.0)

    assert [often.choose(torch.tensor(logits)) for _ in range(4)] == [1, 1, 1, 0]
    assert [once.choose(torch.tensor(logits)) for _ in range(4)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "fields",
    [
        {"logit_bias": ((3, 1.0),)},
        {"presence_penalty": 1.0},
        {"frequency_penalty": 1.0},
        {"temperature": 1.0},
    ],
)
def test_what_changes_the_logits_is_not_taken_for_greedy(fields):
    assert sampler().takes_the_likeliest
    assert not sampler(**fields).takes_the_likeliest


@pytest.mark.parametrize("fields", [{"temperature": 1e-45}, {"top_p": 1e-300}])
def test_what_float32_takes_for_zero_takes_the_likeliest(fields):
    one = sampler(**{"temperature": 1.0, **fields})

    assert one.choose(torch.tensor(LOGITS)) == 1
