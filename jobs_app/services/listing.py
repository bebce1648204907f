"""What a provider's list says of our jobs: a hundred of them a request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jobs_app.providers import ProviderClient, RemoteJob

PAGE_SIZE = 100
# So few are sooner asked about one by one than looked for in pages.
FEW = 3
# So many pages in a row without one of ours: the rest is sooner asked about singly.
BARREN_PAGES = 5
# With less time than this the listing is left, to be taken up where it stopped.
ENOUGH_SECONDS = 15.0

OnPage = Callable[[list[RemoteJob]], None]


@dataclass
class Listing:
    """How far a listing came.

    `is_whole`: what is missing, the list does not show. `goes_on_after`: where to take
    it up, if it was left for want of requests or time.
    """

    missing: set[str]
    is_whole: bool = False
    goes_on_after: str = ""
    n_pages: int = 0
    seen: set[str] = field(default_factory=set, repr=False)


def list_jobs(
    client: ProviderClient,
    wanted: set[str],
    *,
    on_page: OnPage,
    most_pages: int,
    after: str = "",
) -> Listing:
    """Read the list, newest first, until few of the wanted ids are missing.

    Each page goes to `on_page` as it comes, so that what was learnt before a failure
    is kept, and memory holds one page however long the list is.

    Raises:
        ProviderError: the provider does not list, or not now.
    """
    listing, n_barren, began_after = Listing(set(wanted)), 0, after
    while len(listing.missing) > FEW:
        if listing.n_pages >= most_pages or client.deadline.left() < ENOUGH_SECONDS:
            listing.goes_on_after = after
            break
        page = client.list_jobs(after=after, limit=PAGE_SIZE)
        listing.n_pages += 1
        new = [job for job in page.jobs if job.id not in listing.seen]
        listing.seen.update(job.id for job in new)
        n_before = len(listing.missing)
        listing.missing -= listing.seen
        n_barren = n_barren + 1 if len(listing.missing) == n_before else 0
        on_page(new)
        # A server that ignores `after` says for ever that there is more.
        if not page.has_more or not new or n_barren == BARREN_PAGES:
            listing.is_whole = not began_after
            break
        after = page.last_id
    return listing
