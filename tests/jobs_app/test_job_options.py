"""What a job may be asked for, and what a provider's page says of it."""

import pytest
from django.core.exceptions import ValidationError

from jobs_app.hyperparameters import MAX_SEED, check_seed, check_suffix
from jobs_app.models import ProviderCheck
from jobs_app.provider_facts import facts, step_lines
from jobs_app.provider_fields import fields_of, told_of
from jobs_app.services.compatibility import STEP_NAMES
from tests.factories import make_provider

STEPS = [{"step": name, "result": "works", "words": ""} for name in STEP_NAMES]


@pytest.mark.parametrize(
    "suffix", ["a" * 65, "a b", "a:b", "a/b", "a\x00b", "a\u200bb"]
)
def test_a_suffix_that_no_models_name_can_bear_is_refused(suffix):
    with pytest.raises(ValidationError):
        check_suffix(suffix)


def test_a_suffix_may_be_korean_and_64_long():
    check_suffix("카드" * 32)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValidationError):
        check_seed(seed)


@pytest.mark.parametrize(
    ("status", "n_done", "states"),
    [
        ("pending", 2, ["succeeded", "succeeded", "pending", "draft"]),
        ("running", 2, ["succeeded", "succeeded", "running", "draft"]),
        ("failed", 2, ["succeeded", "succeeded", "draft", "draft"]),
        ("running", len(STEPS), ["succeeded"] * 4),
    ],
)
def test_only_an_open_check_is_at_work_and_only_at_its_next_step(
    status, n_done, states
):
    lines = step_lines(ProviderCheck(status=status, results=STEPS[:n_done]))

    assert len(lines) == len(STEPS)
    assert [line.state for line in lines[:4]] == states


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "fields", "names"),
    [
        ("openai", {}, ["In parts", "Longest suffix"]),
        ("azure", {}, ["Longest suffix"]),
        ("azure_classic", {}, ["API version", "Longest suffix"]),
    ],
)
def test_what_a_kind_lacks_is_no_fact_of_it(kind, fields, names):
    told = [name for name, _ in facts(make_provider(kind=kind, **fields))]

    assert told[3:] == names


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "shown"), [("", "2025-04-01-preview"), ("2026-01-01", "2026-01-01")]
)
def test_the_version_that_is_spoken_is_shown(own, shown):
    provider = make_provider(kind="azure_classic", api_version=own)

    assert ("API version", shown) in facts(provider)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "is_all"), [("openai", True), ("nebius", False)])
def test_of_a_kind_that_takes_all_just_that_is_said(kind, is_all):
    provider = make_provider(kind=kind)
    labels = dict.fromkeys(fields_of(provider).lacking, "Method")

    said = told_of(provider, labels)

    assert (said == "It takes all that is asked below.") == is_all
    assert said
