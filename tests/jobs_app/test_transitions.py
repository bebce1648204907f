"""Which steps a job may never take, whoever asks for them."""

import pytest

from jobs_app.models import AT_PROVIDER, FineTuningJob, IllegalTransition, JobStatus

S = JobStatus
OVER = (S.SUCCEEDED, S.FAILED, S.CANCELLED, S.DECLINED)
BEFORE_CREATION = (S.DRAFT, S.PENDING, S.SUBMITTING, S.UNSURE, S.AWAITING_APPROVAL)


def refuse(old: JobStatus, *steps: JobStatus) -> None:
    """Refused before the database is asked."""
    for new in steps:
        with pytest.raises(IllegalTransition, match=f"{old} cannot become {new}"):
            FineTuningJob(status=old).move_to(new)


@pytest.mark.parametrize("old", OVER)
def test_what_is_over_stays_so(old):
    refuse(old, *S)


@pytest.mark.parametrize("old", S)
def test_nothing_becomes_a_draft_again(old):
    refuse(old, S.DRAFT)


@pytest.mark.parametrize("old", sorted(AT_PROVIDER))
def test_what_the_provider_has_is_never_created_again(old):
    refuse(old, *BEFORE_CREATION, S.DECLINED)


@pytest.mark.parametrize("old", [each for each in S if each != S.PENDING])
def test_only_what_was_launched_is_submitted(old):
    refuse(old, S.SUBMITTING)


@pytest.mark.parametrize("old", [each for each in S if each != S.AWAITING_APPROVAL])
def test_only_what_was_asked_for_is_declined(old):
    refuse(old, S.DECLINED)


@pytest.mark.parametrize("old", [S.DRAFT, S.PENDING])
def test_what_nobody_sent_is_in_no_state_of_the_provider(old):
    refuse(old, *AT_PROVIDER, S.UNSURE, S.SUCCEEDED, S.FAILED)


@pytest.mark.parametrize("old", [S.UNSURE, S.AWAITING_APPROVAL])
def test_what_waits_for_a_person_neither_runs_nor_ends_by_itself(old):
    refuse(old, *AT_PROVIDER - {S.QUEUED}, S.SUCCEEDED, S.FAILED)
