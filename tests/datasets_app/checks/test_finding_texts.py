import pytest

from datasets_app import finding_texts
from datasets_app.checks.codes import OWN_CODES
from datasets_app.problem_texts import TEXTS as PROBLEMS


def test_every_finding_has_words():
    assert set(finding_texts.TEXTS) == set(OWN_CODES)


def test_no_finding_has_the_name_of_a_problem():
    assert not set(OWN_CODES) & set(PROBLEMS)


@pytest.mark.parametrize("code", [*OWN_CODES, "no_content"])
def test_a_finding_says_what_it_is_why_it_matters_and_how_to_mend_it(code):
    words = {
        finding_texts.in_general(code),
        finding_texts.why_it_matters(code),
        finding_texts.how_to_mend(code),
    }
    assert all(words)
    assert len(words) == 3


def test_languages_are_named():
    params = {"asked": "en", "answered": "ko"}
    said = finding_texts.what_is_wrong("mixed_languages", params)
    assert said == "The question is in English, the answer in Korean."


def test_a_percent_sign_is_shown_once():
    assert "85 % of" in finding_texts.what_is_wrong("near_duplicate", {})
