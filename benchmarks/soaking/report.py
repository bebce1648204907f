"""What a soak is judged by: what the providers have, beside what our rows say."""

import sys
from collections import Counter
from typing import Any

from tests.jobs_app.faulty_provider import FaultyProvider

# Nothing is lost when a provider clearly said no, or somebody cancelled in time.
NEVER_CREATED = {"failed", "cancelled"}


def report(providers: list[tuple[Any, FaultyProvider]]) -> int:
    """Prints the figures. Returns how many things are there too often or not at all."""
    from jobs_app.models import FineTuningJob

    jobs = FineTuningJob.objects.select_related("provider")
    duplicates: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for provider, faulty in providers:
        ours = list(jobs.filter(provider=provider))
        too_often, not_at_all = _too_often(ours, faulty), _not_at_all(ours, faulty)
        duplicates.update(too_often)
        lost.update(not_at_all)
        if any(too_often.values()) or any(not_at_all.values()):
            _tell_what_is_odd(ours, faulty)
    n_created = sum(len(faulty.jobs) for _provider, faulty in providers)
    by_status = dict(Counter(jobs.values_list("status", flat=True)))
    say(f"launched: {jobs.count()}; created at the providers: {n_created}")
    say(f"by status: {by_status}")
    for name, found in (("duplicates", duplicates), ("lost", lost)):
        told = ", ".join(f"{n} {what}" for what, n in found.items())
        say(f"{name}: {found.total()} ({told})")
    return duplicates.total() + lost.total()


def _tell_what_is_odd(ours: list[Any], faulty: FaultyProvider) -> None:
    """The stories of jobs that are not there exactly once, and the files."""
    n_there = Counter(_key(theirs) for theirs in faulty.jobs.values())
    for job in ours:
        is_there = n_there[str(job.launch_key)]
        if is_there == 1 and job.finished_at and not _missing_events(faulty, job):
            continue
        say(f"job {job.pk}, {job.status}: {is_there} at {job.provider}")
        for event in job.events.filter(remote_id="").order_by("pk"):
            say(f"    {event.created_at:%H:%M:%S.%f} {event.message}")
    say(f"files: {[file['filename'] for file in faulty.files.values()]}")


def _too_often(ours: list[Any], faulty: FaultyProvider) -> dict[str, int]:
    by_key = Counter(_key(theirs) for theirs in faulty.jobs.values())
    files = Counter(file["filename"] for file in faulty.files.values())
    return {
        "jobs": sum(n - 1 for n in by_key.values()),
        "files": sum(n - 1 for n in files.values()),
        "events": sum(_doubled_events(job) for job in ours),
    }


def _not_at_all(ours: list[Any], faulty: FaultyProvider) -> dict[str, int]:
    keys = {_key(theirs) for theirs in faulty.jobs.values()}
    known = {job.remote_id for job in ours}
    finished = [job for job in ours if job.finished_at]
    never = [job for job in ours if job.status not in NEVER_CREATED]
    return {
        "jobs nobody created": sum(str(job.launch_key) not in keys for job in never),
        "jobs created but not known": len(set(faulty.jobs) - known),
        "jobs not over": len(ours) - len(finished),
        "jobs that go on uncancelled": sum(_goes_on(job, faulty) for job in ours),
        "events": sum(_missing_events(faulty, job) for job in ours),
    }


def _key(theirs: dict[str, Any]) -> str:
    return str(theirs["metadata"]["launch_key"])


def _goes_on(job: Any, faulty: FaultyProvider) -> bool:
    theirs = faulty.jobs.get(job.remote_id, {})
    return job.status == "cancelled" and theirs.get("status", "") in {
        "running",
        "queued",
    }


def _missing_events(faulty: FaultyProvider, job: Any) -> int:
    if job.remote_id not in faulty.jobs:
        return 0
    stored = set(job.events.values_list("remote_id", flat=True))
    there = {event["id"] for event in faulty.events.get(job.remote_id, [])}
    return len(there - stored)


def _doubled_events(job: Any) -> int:
    """Of the provider's; and how often it ended more than once."""
    ids = Counter(job.events.exclude(remote_id="").values_list("remote_id", flat=True))
    ends = job.events.filter(type="status", data__to__in=["succeeded", "failed"])
    return sum(n - 1 for n in ids.values()) + max(0, ends.count() - 1)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
