"""Which job of the provider is ours, told by what it lists; nothing is sent here."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.utils.timezone import now

from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.providers import PROFILES, ProviderClient, RemoteJob
from jobs_app.services import recognising
from jobs_app.services.recognising import keeps_metadata, may_be_ours, unclear_twin
from jobs_app.services.waiting import NotYet, Unsure
from tests.factories import make_job, make_provider, make_version

pytestmark = pytest.mark.django_db
SENT = {"sent_training_file": "file-1", "suffix": "mine"}


@pytest.fixture
def job() -> FineTuningJob:
    return make_job(status=JobStatus.SUBMITTING, create_sent_at=now(), **SENT)


def remote(**changes: Any) -> RemoteJob:
    like_ours: dict[str, Any] = {
        "id": "ftjob-1",
        "status": JobStatus.RUNNING,
        "created_at": now(),
        "base_model": "base-model",
        "training_file": "file-1",
        "suffix": "mine",
    }
    return RemoteJob(**{**like_ours, **changes})


def one_of(job: FineTuningJob, *listed: RemoteJob) -> RemoteJob:
    return recognising._one_without_a_key(job, listed)


def test_the_only_one_that_fits_in_all_is_ours(job):
    assert one_of(job, remote()).id == "ftjob-1"


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "odd",
    [
        {"training_file": "file-of-others"},
        {"base_model": "another-model"},
        {"suffix": "theirs"},
        {"launch_key": "theirs"},
        {"created_at": now() - HOUR},
        {"created_at": now() + HOUR},
    ],
)
def test_whatever_speaks_against_it_counts(job, odd):
    assert may_be_ours(job, remote())
    assert not may_be_ours(job, remote(**odd))


@pytest.mark.parametrize(
    "vague",
    [
        {"training_file": ""},
        {"base_model": ""},
        {"base_model": "base"},
        {"base_model": "base-model-2026-01-01"},
        {"suffix": ""},
        {"created_at": None},
    ],
)
def test_what_is_told_in_part_or_not_at_all_speaks_not_against_it(job, vague):
    """Else it would be created a second time."""
    assert may_be_ours(job, remote(**vague))


@pytest.mark.parametrize("untold", ["training_file", "base_model", "created_at"])
def test_what_is_not_told_leaves_it_to_a_person(job, untold):
    nothing = None if untold == "created_at" else ""

    with pytest.raises(Unsure) as raised:
        one_of(job, remote(**{untold: nothing}))
    assert [each["id"] for each in raised.value.candidates] == ["ftjob-1"]


def test_two_that_fit_are_left_to_a_person(job):
    with pytest.raises(Unsure) as raised:
        one_of(job, remote(), remote(id="ftjob-2"))
    assert len(raised.value.candidates) == 2


def test_one_that_might_be_its_twins_is_left_to_a_person(job):
    twin_of(job)

    with pytest.raises(Unsure):
        one_of(job, remote())


@pytest.mark.parametrize("is_own_team", [True, False])
def test_what_another_job_has_is_not_ours_whoevers_it_is(job, is_own_team):
    """Two teams may have the same account."""
    provider = job.provider
    if not is_own_team:
        provider = make_provider(base_url=provider.base_url)
    make_job(provider=provider, remote_id="ftjob-1", status=JobStatus.RUNNING)

    with pytest.raises(NotYet):
        one_of(job, remote())


def test_the_same_id_elsewhere_is_another_job(job):
    elsewhere = make_provider(base_url="https://elsewhere.example/v1")
    make_job(provider=elsewhere, remote_id="ftjob-1", status=JobStatus.RUNNING)

    assert one_of(job, remote()).id == "ftjob-1"


def test_nothing_that_fits_is_waited_for_and_then_left_to_a_person(job):
    with pytest.raises(NotYet):
        one_of(job)
    job.create_sent_at -= timedelta(seconds=recognising.LOOK_SECONDS)
    with pytest.raises(Unsure):
        one_of(job)


def test_a_key_in_the_list_is_enough_though_no_filter_finds_it(job):
    ours = remote(launch_key=str(job.launch_key), training_file="", created_at=None)
    client = SimpleNamespace(
        profile=PROFILES["compatible"], jobs_since=lambda _moment: [remote(), ours]
    )

    assert recognising._look_closely(cast(ProviderClient, client), job) == ours


def twin_of(job: FineTuningJob, **changes: Any) -> FineTuningJob:
    same: dict[str, Any] = {
        "provider": job.provider,
        "dataset_version": job.dataset_version,
        "status": JobStatus.UNSURE,
        "create_sent_at": now(),
    }
    return make_job(**{**same, **changes})


UNHEARD = [S.value for S in recognising.MAY_BE_UNHEARD]


@pytest.mark.parametrize("status", sorted(UNHEARD))
def test_another_that_may_be_there_is_its_twin(job, status):
    assert unclear_twin(job) is None
    twin = twin_of(job, status=status)

    assert unclear_twin(job) == twin


@pytest.mark.parametrize(
    "odd",
    [
        {"status": JobStatus.CANCELLED},
        {"create_sent_at": None},
        {"remote_id": "ftjob-1"},
    ],
)
def test_one_that_cannot_be_there_unheard_is_no_twin(job, odd):
    twin_of(job, **odd)

    assert unclear_twin(job) is None


def test_a_twin_is_of_the_same_version_at_the_same_provider(job):
    dataset = job.dataset_version.dataset
    twin_of(job, dataset_version=make_version(dataset=dataset))
    twin_of(job, provider=make_provider(team=job.team))

    assert unclear_twin(job) is None


@pytest.mark.parametrize(
    ("kind", "known", "keeps"),
    [
        ("openai", {}, True),
        ("built_in", {}, True),
        ("compatible", {}, None),
        ("openai", {"keeps_metadata": False}, False),
        ("compatible", {"abilities": {"launch_key": True}}, True),
        ("openai", {"abilities": {"launch_key": False}}, False),
    ],
)
def test_whether_keys_are_kept_is_known_of_few(kind, known, keeps):
    assert keeps_metadata(Provider(kind=kind, **known)) is keeps


def test_a_kind_that_keeps_no_metadata_keeps_no_keys(monkeypatch):
    forgetful = replace(PROFILES["openai"], keeps_metadata=False)
    monkeypatch.setitem(PROFILES, "openai", forgetful)

    assert keeps_metadata(Provider(kind="openai")) is False


@pytest.mark.parametrize("keeps", [True, False])
def test_what_one_providers_list_tells_is_learnt_of_that_one(job, keeps):
    other = make_provider()
    older = make_job(provider=job.provider, remote_id="ftjob-7", status="running")
    shown = remote(id="ftjob-7", launch_key=str(older.launch_key) if keeps else "")

    recognising.learn_whether_it_keeps_metadata(job.provider, [remote(), shown])

    job.provider.refresh_from_db()
    other.refresh_from_db()
    assert (job.provider.keeps_metadata, other.keeps_metadata) == (keeps, None)
