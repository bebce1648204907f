"""Polls in tests: whatever is due later is due now."""

from datetime import timedelta

from django.utils.timezone import now

from jobs_app import services
from jobs_app.models import FineTuningJob, Provider, ProviderPace
from tests.jobs_app.fake_provider import FakeProvider


def make_due(provider: Provider) -> None:
    jobs = FineTuningJob.objects.filter(provider=provider)
    a_moment_ago = now() - timedelta(seconds=1)
    jobs.exclude(next_poll_at=None).update(next_poll_at=a_moment_ago)
    jobs.exclude(next_reading_at=None).update(next_reading_at=a_moment_ago)
    ProviderPace.objects.filter(provider=provider).update(blocked_until=None)


def poll_all(provider: Provider) -> int:
    """A tick at a provider whose jobs are all due. Returns the requests of its poll."""
    make_due(provider)
    n_requests = services.poll_provider(provider)
    services.read_histories(provider)
    return n_requests


def poll(job: FineTuningJob) -> FineTuningJob:
    poll_all(job.provider)
    job.refresh_from_db()
    return job


def hide(fake: FakeProvider, jobs: list[FineTuningJob]) -> None:
    """Let the list hide these jobs, which can still be asked for."""
    hidden = {job.remote_id for job in jobs}

    class Listed(dict):
        def __reversed__(self):
            return reversed([k for k in self if k not in hidden])

        def values(self):
            return {k: v for k, v in self.items() if k not in hidden}.values()

    fake.jobs = Listed(fake.jobs)
