"""Find our job at its provider, whose answer to the creation may have been lost.

Whoever was asked to create a job may have done so, whatever the answer was. From then
on only looking tells: by the launch key where the provider keeps metadata; else by
training file, base model, suffix and time. One look is not enough, for some list a new
job only after a while.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.providers import (
    Ability,
    ProviderClient,
    ProviderRejected,
    RemoteJob,
    profile_of,
)
from jobs_app.services.waiting import NotYet, Unsure

log = logging.getLogger(__name__)

# After so long a provider lists every job that it has.
LOOK_SECONDS = 600.0
FIRST_LOOK_SECONDS = 3.0
# The provider's clock may differ from ours by so much.
CLOCK_SKEW = timedelta(minutes=10)
NO_LIST = {404, 405, 501}
# What a job may be whose answer was lost; see `FineTuningJob.may_be_there`.
MAY_BE_UNHEARD = {
    JobStatus.PENDING,
    JobStatus.SUBMITTING,
    JobStatus.UNSURE,
    JobStatus.AWAITING_APPROVAL,
}


def find_ours(client: ProviderClient, job: FineTuningJob) -> RemoteJob | None:
    """The provider's job that is ours. None: it has none, and may be asked for it.

    Raises:
        NotYet: it may have the job; look again later.
        Unsure: only a person can tell.
    """
    try:
        found = client.find_job(job.launch_key)
        if found is None and job.create_sent_at:
            found = _look_closely(client, job)
    except ProviderRejected as exc:
        if job.create_sent_at:  # to fail the job now might lose a training that runs
            raise Unsure(_cannot_look(job, exc), []) from exc
        if exc.status not in NO_LIST:
            raise
        return None
    if found and job.create_sent_at:
        job.events.create(message=_how_recognised(job, found))
    return found


def _look_closely(client: ProviderClient, job: FineTuningJob) -> RemoteJob | None:
    """What the whole list tells, after the question for the launch key told nothing."""
    if client.profile.keeps_idempotency_key:  # asked again, it gives the same job
        return None
    assert job.create_sent_at is not None  # noqa: S101 the caller looked
    listed = client.jobs_since(job.create_sent_at - CLOCK_SKEW)
    for remote in listed:  # where the filter does not work, but the key is kept
        if remote.launch_key == str(job.launch_key):
            return remote
    if not learn_whether_it_keeps_metadata(job.provider, listed):
        return _one_without_a_key(job, listed)
    if not _is_window_over(job):
        raise NotYet(_looking(job), _seconds_until_next_look(job))
    return None


def _one_without_a_key(job: FineTuningJob, listed: Sequence[RemoteJob]) -> RemoteJob:
    owned = _owned_by_others(job, listed)
    free = [r for r in listed if r.id not in owned and may_be_ours(job, r)]
    if len(free) == 1 and _is_surely_ours(job, free[0]) and not unclear_twin(job):
        return free[0]
    if not free and not _is_window_over(job):
        raise NotYet(_looking(job), _seconds_until_next_look(job))
    raise Unsure(_cannot_tell(job, len(free)), [_as_candidate(r) for r in free])


def learn_whether_it_keeps_metadata(
    provider: Provider, listed: Sequence[RemoteJob]
) -> bool | None:
    """Judged by the newest of our own jobs in its list. None: none of them is there."""
    keys = _launch_keys(provider, listed)
    for remote in listed:
        if remote.id in keys:
            keeps = remote.launch_key == keys[remote.id]
            if keeps != provider.keeps_metadata:
                Provider.objects.filter(pk=provider.pk).update(keeps_metadata=keeps)
                provider.keeps_metadata = keeps
            return keeps
    return keeps_metadata(provider)


def keeps_metadata(provider: Provider) -> bool | None:
    """Do its lists show the launch keys of our jobs? None: nobody knows."""
    if provider.keeps_metadata is not None:
        return provider.keeps_metadata
    if Ability.LAUNCH_KEY in provider.abilities:
        return bool(provider.abilities[Ability.LAUNCH_KEY])
    profile = profile_of(provider)
    if not profile.keeps_metadata:
        return False
    return True if profile.lists_metadata else None


def _launch_keys(provider: Provider, listed: Sequence[RemoteJob]) -> dict[str, str]:
    ours = FineTuningJob.objects.filter(
        provider__base_url=provider.base_url,
        remote_id__in=[remote.id for remote in listed],
    )
    return {
        remote_id: str(key)
        for remote_id, key in ours.values_list("remote_id", "launch_key")
    }


def _owned_by_others(job: FineTuningJob, listed: Sequence[RemoteJob]) -> set[str]:
    return set(_launch_keys(job.provider, listed))


def may_be_ours(job: FineTuningJob, remote: RemoteJob) -> bool:
    """Does nothing that the provider tells of it speak against it?"""
    return (
        remote.launch_key in {"", str(job.launch_key)}
        and remote.training_file in {"", job.sent_training_file}
        and remote.suffix in {"", job.suffix}
        and _is_same_model(remote.base_model, job.base_model)
        and _is_in_time(job, remote)
    )


def _is_same_model(theirs: str, ours: str) -> bool:
    """Providers write a model's full name where we sent a short one, or none at all."""
    return theirs.startswith(ours) or ours.startswith(theirs)


def _is_in_time(job: FineTuningJob, remote: RemoteJob) -> bool:
    if remote.created_at is None or job.create_sent_at is None:
        return True
    late = job.create_sent_at + timedelta(seconds=LOOK_SECONDS) + CLOCK_SKEW
    return job.create_sent_at - CLOCK_SKEW <= remote.created_at <= late


def _is_surely_ours(job: FineTuningJob, remote: RemoteJob) -> bool:
    """We alone know the id of the file, and of its jobs we know all but one."""
    is_our_file = bool(remote.training_file)
    return is_our_file and bool(remote.base_model) and remote.created_at is not None


def unclear_twin(job: FineTuningJob) -> FineTuningJob | None:
    """Another job of the version that its provider may have, unheard, as well."""
    twins = FineTuningJob.objects.filter(
        provider=job.provider_id,
        dataset_version=job.dataset_version_id,
        status__in=MAY_BE_UNHEARD,
        create_sent_at__isnull=False,
        remote_id="",
    )
    return twins.exclude(pk=job.pk).first()


def _is_window_over(job: FineTuningJob) -> bool:
    return _seconds_since_sent(job) >= LOOK_SECONDS


def _seconds_since_sent(job: FineTuningJob) -> float:
    assert job.create_sent_at is not None  # noqa: S101 only called after it was sent
    return (now() - job.create_sent_at).total_seconds()


def _seconds_until_next_look(job: FineTuningJob) -> float:
    """Each wait is as long as all before it; the last ends with the window."""
    since = _seconds_since_sent(job)
    return max(FIRST_LOOK_SECONDS, min(since, LOOK_SECONDS - since))


def _as_candidate(remote: RemoteJob) -> dict[str, Any]:
    created_at = remote.created_at.isoformat() if remote.created_at else ""
    return {
        "id": remote.id,
        "status": remote.status_word,
        "base_model": remote.base_model,
        "training_file": remote.training_file,
        "suffix": remote.suffix,
        "created_at": created_at,
    }


def _how_recognised(job: FineTuningJob, remote: RemoteJob) -> str:
    if remote.launch_key:
        return _(
            "%(provider)s has the job although its answer was lost: %(id)s carries our "
            "launch key."
        ) % {"provider": job.provider, "id": remote.id}
    return _(
        "%(provider)s has the job although its answer was lost: %(id)s was recognised "
        "by its training file, base model and time, for no launch key is kept there."
    ) % {"provider": job.provider, "id": remote.id}


def _looking(job: FineTuningJob) -> str:
    return _(
        "%(provider)s may have the job, but its answer was lost. It is looked for "
        "there before anything is created again."
    ) % {"provider": job.provider}


def _cannot_look(job: FineTuningJob, exc: ProviderRejected) -> str:
    return _(
        "%(provider)s may have the job, but its answer was lost and it does not let us "
        "look: %(why)s"
    ) % {"provider": job.provider, "why": exc}


def _cannot_tell(job: FineTuningJob, n_candidates: int) -> str:
    if n_candidates:
        return _(
            "%(provider)s may have the job, but its answer was lost and no launch key "
            "is kept there. What it lists does not tell for certain which job is ours."
        ) % {"provider": job.provider}
    return _(
        "%(provider)s may have the job, but its answer was lost and no launch key is "
        "kept there. Nothing that it lists looks like this job."
    ) % {"provider": job.provider}
