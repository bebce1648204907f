from typing import Any

import pytest
import torch

from tests.tuning_server_app.inference.models import QUESTION, make_request
from tests.tuning_server_app.inference.test_app import ask
from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tuning_server_app.training.chat_rendering import render_prompt
from tuning_server_app.training.loading import load_model, load_tokenizer

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


def logprobs_of(response: Any) -> list[Any]:
    return list(response.json["choices"][0]["logprobs"]["content"])


def text_of(content: list[Any]) -> str:
    return b"".join(bytes(each["bytes"]) for each in content).decode(errors="replace")


def test_logprobs_are_what_the_model_says_of_its_answer(engine, tiny_base):
    deltas = list(engine.chat(make_request(top_logprobs=2)))
    said = [each for delta in deltas for each in delta.logprobs]

    tokens = [each.token for each in said]
    prompt = render_prompt(load_tokenizer(tiny_base), QUESTION)
    logits = load_model(tiny_base)(torch.tensor([prompt + tokens])).logits[0]
    expected = torch.log_softmax(logits[len(prompt) - 1 : -1], dim=-1)
    for each, row in zip(said, expected, strict=True):
        assert each.logprob == pytest.approx(float(row[each.token]), abs=1e-4)
        assert [token for token, _ in each.top] == row.topk(2).indices.tolist()


def test_the_bytes_of_the_tokens_are_the_answer(engine):
    response = ask(engine, logprobs=True, top_logprobs=3)

    content = logprobs_of(response)
    message = response.json["choices"][0]["message"]
    assert text_of(content) == message["content"]
    assert [len(each["top_logprobs"]) for each in content] == [3] * 12
    assert all(each["logprob"] <= 0 for each in content)


def test_alternatives_are_left_out_unless_asked_for(engine):
    content = logprobs_of(ask(engine, logprobs=True))

    assert [each["top_logprobs"] for each in content] == [[]] * 12


def test_a_stream_has_the_same_logprobs(engine):
    fields: dict[str, Any] = {"logprobs": True, "top_logprobs": 1}
    whole = logprobs_of(ask(engine, **fields))

    chunks = ask(engine, stream=True, **fields).chunks

    pieces = [chunk["choices"][0].get("logprobs") for chunk in chunks]
    assert [each for piece in pieces if piece for each in piece["content"]] == whole


def test_tokens_behind_a_stop_text_are_left_out(engine):
    whole = ask(engine).json["choices"][0]["message"]["content"]
    stop = whole[6:9]

    response = ask(engine, logprobs=True, stop=stop)

    kept = response.json["choices"][0]["message"]["content"]
    said = text_of(logprobs_of(response))
    assert kept == whole.split(stop)[0]
    assert said.startswith(kept)
    assert stop not in said


def test_a_draw_changes_no_logprob(engine):
    fields: dict[str, Any] = {"logprobs": True, "max_tokens": 1, "top_logprobs": 20}
    plain = logprobs_of(ask(engine, **fields))[0]

    drawn = logprobs_of(ask(engine, temperature=2, seed=3, **fields))[0]

    assert drawn["top_logprobs"] == plain["top_logprobs"]
