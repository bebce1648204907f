"""A provider's errors become sentences: what happened, why, what to do."""

import pytest

from jobs_app import providers
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.providers.sentences import CODES, PHRASES, SENTENCES, STATUSES, advice_for

MODELS = ("GET", "/v1/models")
CASES = [
    (403, "training_not_available", "No.", "Launch the same version on another"),
    (429, "insufficient_quota", "No.", "billing settings"),
    (403, "", "Your organization must be verified to use this", "verify it"),
    (403, "unsupported_country_region_territory", "No.", "another provider"),
    (404, "model_not_found", "No.", "base model that this provider can tune"),
    (400, "", "The base model does not support fine-tuning", "trainingType"),
    (404, "DeploymentNotFound", "No.", "Deploy the model"),
    (400, "invalid_file_format", "Line 3", "mend the rows"),
    (400, "content_filter", "No.", "usage policy"),
    (401, "", "No.", "enter another key"),
    (403, "", "No.", "what the key may do"),
    (404, "", "No.", "base URL in the admin is wrong"),
    (413, "", "No.", "smaller version"),
    (422, "", "Extra inputs are not permitted", "compatibility check"),
    (400, "no_such_code", "No.", "launch the same again"),
    (501, "", "No.", "launch the same again"),
]


def error_of(provider, fake, status, code="", words="No.", **headers):
    body = {"error": {"message": words, "code": code or None}}
    fake.answers(*MODELS, status, body, headers=headers)
    with (
        providers.connect(provider) as client,
        pytest.raises(providers.ProviderError) as raised,
    ):
        client.models()
    return raised.value


@pytest.mark.parametrize(("status", "code", "words", "advice"), CASES)
def test_a_clear_no_says_what_to_do(provider, fake, status, code, words, advice):
    error = error_of(provider, fake, status, code, words)

    assert isinstance(error, ProviderRejected)
    assert advice in str(error)
    assert words in error.happened
    assert advice not in error.happened


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (429, "rate_limit_exceeded", "Slow down"),
        (400, "", "Too many concurrent fine-tuning jobs"),
        (409, "", "Busy"),
        (500, "server_error", "Oops"),
        (503, "", "Overloaded"),
    ],
)
def test_what_may_pass_is_tried_again(provider, fake, status, code, words):
    error = error_of(provider, fake, status, code, words)

    assert isinstance(error, ProviderUnavailable)
    assert words in str(error)


def test_every_sign_leads_to_a_sentence():
    assert {*CODES.values(), *PHRASES.values(), *STATUSES.values()} <= set(SENTENCES)


def test_advice_is_found_by_the_code_and_by_our_reason():
    assert "another provider" in advice_for("training_not_available")
    assert advice_for("bad_key") == advice_for("invalid_api_key")
    assert "launch the same again" in advice_for("")


def test_a_page_that_is_no_api_does_not_end_up_in_the_sentence(provider, fake):
    fake.answers(*MODELS, 403, b"<html>Forbidden</html>")
    with (
        providers.connect(provider) as client,
        pytest.raises(ProviderRejected) as raised,
    ):
        client.models()

    assert "html" not in str(raised.value)
