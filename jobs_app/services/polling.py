"""Ask a provider how our jobs are doing, and keep what it says.

All jobs of a provider are learnt from its list, a hundred a request. One by one are
asked about: the few for which no page is worth reading, those the list never shows, and
those that somebody wants cancelled.
"""

import logging
from functools import partial

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from jobs_app import providers
from jobs_app.log_fields import about_job, about_provider
from jobs_app.models import AT_PROVIDER, FINISHED, FineTuningJob, Provider
from jobs_app.providers import (
    Ability,
    ProviderClient,
    ProviderError,
    ProviderRejected,
    RemoteJob,
    is_able,
)
from jobs_app.services import pace
from jobs_app.services.histories import NOT_THERE, store_history
from jobs_app.services.listing import BARREN_PAGES, FEW, PAGE_SIZE, Listing, list_jobs
from jobs_app.services.poll_failures import note_failure, note_failures
from jobs_app.services.remote_state import has_moved, store_remote_state, touch
from teams_app.models import User

log = logging.getLogger(__name__)

POLL_DEADLINE_SECONDS = 90.0
# A poll that was begun and never ended is due again after this.
POLL_LEASE_SECONDS = POLL_DEADLINE_SECONDS + 30
# With less time than this no further job is asked about.
ENOUGH_SECONDS = 15.0
# Jobs asked about one by one in one round; the longest unheard of come first.
SINGLES_PER_ROUND = 10
# Jobs that ended are read before they are shown as ended; more than these afterwards.
READ_FIRST = 5
# A list that fails so often, while jobs can be had singly, is left for a while.
LIST_FAILURES = 3


def followed_jobs() -> QuerySet[FineTuningJob]:
    at_provider = FineTuningJob.objects.filter(status__in=AT_PROVIDER)
    return at_provider.exclude(remote_id="")


def due_jobs() -> QuerySet[FineTuningJob]:
    return followed_jobs().filter(next_poll_at__lte=now())


def poll_provider(provider: Provider) -> int:
    """Learn the state of the jobs that are due at a provider.

    Another worker may be at it already: then nothing is done. A failure is noted and
    never raised. Returns how many requests were made.
    """
    with pace.lease(provider, pace.Work.POLL, POLL_LEASE_SECONDS) as is_mine:
        if not is_mine or pace.is_blocked(provider):
            return 0
        return Round(provider).run()


class Round:
    """One poll of one provider: the list first, then a few jobs singly."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.began_at = now()
        self.n_requests = 0
        self.n_read_first = 0
        self.due = due_jobs().filter(provider=provider)

    def run(self) -> int:
        if not self.due.exists():
            return 0
        try:
            with providers.connect(
                self.provider, max_seconds=POLL_DEADLINE_SECONDS
            ) as client:
                missing = self.read_list(client)
                self.ask_singly(client, missing)
        except ProviderError as exc:
            note_failures(self.provider, self.due, exc)
        else:
            if self.n_requests:
                pace.unblock(self.provider)
        return self.n_requests

    def read_list(self, client: ProviderClient) -> set[str]:
        """Learn what the list shows. Returns the ids to be asked about singly."""
        wanted = self.wanted()
        if len(wanted) <= FEW:
            return wanted
        n_pages = 2 * (len(wanted) // PAGE_SIZE + 1) + BARREN_PAGES
        n_granted = pace.reserve(self.provider, n_pages)
        n_before = self.n_requests
        try:
            listing = self.listed(client, wanted, n_granted)
        finally:
            n_made = self.n_requests - n_before
            client.n_reserved += n_made
            pace.give_back(self.provider, n_granted - n_made)
        if listing.is_whole:  # what it showed is due no more
            self.due.update(is_listed=False)
        return listing.missing if len(listing.missing) <= FEW else set()

    def wanted(self) -> set[str]:
        """What the list is read for. Every now and then also what it did not show."""
        due = self.due.filter(cancel_requested_at=None)
        if not pace.may_look_again(self.provider, due.filter(is_listed=False)):
            due = due.filter(is_listed=True)
        return set(due.values_list("remote_id", flat=True))

    def listed(
        self, client: ProviderClient, wanted: set[str], n_granted: int
    ) -> Listing:
        after = pace.cursor(self.provider)
        try:
            listing = list_jobs(
                client,
                wanted,
                on_page=partial(self.learn, client),
                most_pages=n_granted,
                after=after,
            )
        except ProviderError as exc:
            pace.leave_cursor(self.provider, "")
            if not self.is_without_list(exc):
                raise
            log.warning(
                "does not list its jobs", extra=about_provider(self.provider, exc)
            )
            return Listing(wanted, is_whole=True)
        pace.leave_cursor(self.provider, listing.goes_on_after)
        return listing

    def is_without_list(self, exc: ProviderError) -> bool:
        """Is it the list alone that fails? Then its jobs can still be had singly."""
        if isinstance(exc, ProviderRejected):
            return exc.status in NOT_THERE | {400}
        return pace.n_failures(self.provider) >= LIST_FAILURES

    def learn(self, client: ProviderClient, page: list[RemoteJob]) -> None:
        """Store what a page of the list says of our jobs."""
        self.n_requests += 1
        remotes = {remote.id: remote for remote in page}
        ours = followed_jobs().filter(provider=self.provider, remote_id__in=remotes)
        ours.filter(is_listed=False).update(is_listed=True)
        unmoved = []
        for job in ours:
            job.provider = self.provider
            remote = remotes[job.remote_id]
            if has_moved(job, remote):
                self.store(client, job, remote)
            elif not job.cancel_requested_at:  # a wish is told singly, below
                unmoved.append((job, remote))
        touch(unmoved, self.began_at)

    def ask_singly(self, client: ProviderClient, missing: set[str]) -> None:
        is_single = Q(is_listed=False) | ~Q(cancel_requested_at=None)
        jobs = self.due.filter(is_single | Q(remote_id__in=missing))
        jobs = jobs.select_related("provider", "cancel_requested_by")
        longest_unheard = F("last_polled_at").asc(nulls_first=True)
        chosen = list(jobs.order_by(longest_unheard, "pk")[:SINGLES_PER_ROUND])
        n_granted = pace.reserve(self.provider, len(chosen)) if chosen else 0
        client.n_reserved += n_granted  # the client gives back what it did not need
        for job in chosen[:n_granted]:
            if client.deadline.left() < ENOUGH_SECONDS:
                return
            self.ask(client, job)

    def ask(self, client: ProviderClient, job: FineTuningJob) -> None:
        self.n_requests += 1
        try:
            cancelled = _cancelled_if_wished(client, job)
            remote = cancelled or client.retrieve(job.remote_id)
        except ProviderError as exc:
            is_job_s_own = exc.status not in {None, 429}
            if not is_job_s_own:
                raise
            note_failure(job, exc)
        else:
            by = job.cancel_requested_by if cancelled else None
            self.store(client, job, remote, by=by)

    def store(
        self,
        client: ProviderClient,
        job: FineTuningJob,
        remote: RemoteJob,
        by: User | None = None,
    ) -> None:
        if remote.status in FINISHED and self.n_read_first < READ_FIRST:
            self.n_read_first += 1
            _read_first(client, job)
        store_remote_state(job, remote, by=by)


def _cancelled_if_wished(
    client: ProviderClient, job: FineTuningJob
) -> RemoteJob | None:
    is_wished = job.cancel_requested_at is not None
    if not is_wished or not is_able(job.provider, Ability.CANCEL):
        return None
    try:
        return client.cancel(job.remote_id)
    except ProviderRejected:  # it is finished, or being cancelled: the state tells
        return None


def _read_first(client: ProviderClient, job: FineTuningJob) -> None:
    """The last events come before the end; whoever follows the job then sees them.

    If they cannot be read now, they are due to be read when the job has moved.
    """
    try:
        store_history(client, job)
    except ProviderError as exc:
        log.warning("ended; its last events wait", extra=about_job(job, exc))
