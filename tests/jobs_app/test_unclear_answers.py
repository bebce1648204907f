"""Which answers leave open whether it was done all the same, and which may pass."""

from typing import Any

import httpx2
import openai
import pytest

from jobs_app.addresses import RefusedAddress
from jobs_app.models import Provider
from jobs_app.providers import ProviderError, ProviderRejected, ProviderUnavailable
from jobs_app.providers.errors import explain
from jobs_app.providers.limits import ResponseTooLarge

REQUEST = httpx2.Request("POST", "https://models.example/v1/fine_tuning/jobs")
KEY = "sk-secret-of-the-team"


def explained(exc: Exception, cause: Exception | None = None) -> ProviderError:
    exc.__cause__ = cause
    provider = Provider(name="Ours", kind="compatible", api_key=KEY)
    return explain(exc, provider, "req-1")


def answered(
    status: int, body: Any = None, headers: dict[str, str] | None = None
) -> ProviderError:
    response = httpx2.Response(status, request=REQUEST, headers=headers)
    return explained(openai.APIStatusError("no", response=response, body=body))


@pytest.mark.parametrize("status", [408, 409, 500, 501, 502, 503, 504, 529])
def test_after_these_it_may_have_been_done(status):
    assert answered(status).is_unclear


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422, 425, 429])
def test_after_these_it_has_clearly_not(status):
    assert not answered(status).is_unclear


@pytest.mark.parametrize(
    "cause",
    [httpx2.ReadTimeout(""), httpx2.WriteTimeout(""), httpx2.ReadError(""), None],
)
def test_whatever_broke_off_may_have_got_through(cause):
    timed_out = openai.APITimeoutError(request=REQUEST)
    broken = openai.APIConnectionError(request=REQUEST)

    assert explained(timed_out, cause).is_unclear
    assert explained(broken, cause).is_unclear


@pytest.mark.parametrize(
    "cause", [httpx2.ConnectError(""), httpx2.ConnectTimeout(""), RefusedAddress("")]
)
def test_what_never_left_has_not(cause):
    assert not explained(openai.APIConnectionError(request=REQUEST), cause).is_unclear


def test_an_address_that_is_refused_was_sent_nothing():
    error = explained(RefusedAddress("inside"))

    assert isinstance(error, ProviderRejected)
    assert not error.is_unclear


def test_an_answer_too_long_to_be_read_leaves_it_open():
    error = explained(ResponseTooLarge("too long"))

    assert isinstance(error, ProviderRejected)
    assert error.is_unclear


def test_an_answer_that_is_no_json_leaves_it_open():
    response = httpx2.Response(200, request=REQUEST)
    odd = openai.APIResponseValidationError(response=response, body=None)

    assert explained(odd).is_unclear
    assert isinstance(explained(odd), ProviderUnavailable)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_what_may_pass_is_worth_another_try(status):
    assert isinstance(answered(status), ProviderUnavailable)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 501])
def test_what_does_not_pass_is_not(status):
    assert isinstance(answered(status), ProviderRejected)


@pytest.mark.parametrize("given", ["", "soon", "0", "-5", "86400", "nan", "inf"])
def test_a_wait_that_makes_no_sense_is_not_kept(given):
    assert answered(429, headers={"retry-after": given}).retry_after is None


def test_a_wait_that_does_is():
    assert answered(429, headers={"retry-after": "86399"}).retry_after == 86399


@pytest.mark.parametrize("body", [None, [], "text", {"message": 7}, {"message": {}}])
def test_only_words_are_taken_for_words(body):
    assert "no reason given" in str(answered(400, body))


def test_the_key_is_in_no_words():
    error = answered(400, {"message": f"Your key {KEY} is wrong. {KEY}!"})

    assert KEY not in f"{error} {error.happened} {error.advice} {vars(error)}"
