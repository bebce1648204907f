"""How many logprobs an answer may come to."""

from typing import Any

import pytest

from tuning_server_app.errors import ApiError
from tuning_server_app.inference.chat_request import MAX_LOGPROBS, parse_chat_request

QUESTION = {"base": "tiny", "messages": [{"role": "user", "content": "Hi"}]}


def asked(**fields: Any) -> Any:
    return parse_chat_request({**QUESTION, "logprobs": True, **fields})


@pytest.mark.parametrize(
    ("choices", "tokens", "alternatives"),
    [(1, MAX_LOGPROBS // 20, 20), (16, 2048, 20), (16, 16_000, 0), (6, None, 20)],
)
def test_more_than_memory_holds_are_refused(
    choices: int, tokens: int | None, alternatives: int
):
    with pytest.raises(ApiError) as refused:
        asked(n=choices, max_completion_tokens=tokens, top_logprobs=alternatives)
    assert (refused.value.status, refused.value.param) == (400, "top_logprobs")
    assert refused.value.code == "too_many_logprobs"
    assert f"an answer may have {MAX_LOGPROBS}" in refused.value.message


@pytest.mark.parametrize(
    ("choices", "tokens", "alternatives"),
    [(1, MAX_LOGPROBS // 21, 20), (5, None, 20), (16, MAX_LOGPROBS // 16, 0)],
)
def test_what_memory_holds_is_answered(
    choices: int, tokens: int | None, alternatives: int
):
    request = asked(n=choices, max_tokens=tokens, top_logprobs=alternatives)
    assert request.top_logprobs == alternatives


def test_without_logprobs_an_answer_may_be_as_long_as_the_model_reads():
    assert asked(logprobs=False, n=16, max_tokens=10**6).top_logprobs is None
