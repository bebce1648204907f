"""Real workers that are killed while they send a message or pack weights."""

import os
import tarfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.datasets_app.at_work.site import (
    LOOKS_A_TICK,
    Site,
    kill,
    new_site,
    wait_for,
)
from tests.jobs_app.receiver import Receiver

pytestmark = pytest.mark.processes
PERSON = "tests.tuning_server_app.at_work.person"
WEIGHTS = b"weights" * 100_000


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tuning-workers") / "var"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_ALLOWED_HOSTS", receiver.host)
        with new_site(folder, os.environ.get("DATABASE_URL", ""), PERSON) as site:
            yield site


def kill_worker_when(site: Site, is_at_work: Callable[[], bool]) -> None:
    site.start_worker()
    wait_for(is_at_work)
    assert site.worker is not None
    kill(site.worker)


def go_on_until(site: Site, is_so: Callable[[], bool]) -> None:
    """Another worker, a minute later: the ticks tell it what to do."""
    site.ask("pass_time")
    site.start_worker()
    looks = count()

    def is_so_now() -> bool:
        if next(looks) % LOOKS_A_TICK == 0:
            site.ask("tick")
        return is_so()

    wait_for(is_so_now)


def drafts(site: Site) -> list[Path]:
    return list((site.var / "tuning_server" / "files").glob("*.part"))


def test_a_message_that_a_killed_worker_was_sending_is_sent_again_and_none_is_lost(
    site: Site, receiver: Receiver
):
    receiver.may_answer.clear()
    deliveries = site.ask("new_deliveries", url=receiver.url, n=2)
    kill_worker_when(site, lambda: len(receiver.got) == 1)
    receiver.may_answer.set()

    def states() -> dict[str, str]:
        return dict(site.ask("messages", deliveries=deliveries))

    go_on_until(site, lambda: [*states().values()] == ["sent", "sent"])
    ids = [headers["webhook-id"] for headers, _body in receiver.got]
    assert sorted(ids) == sorted([ids[0], *states()])


def test_weights_that_a_killed_worker_was_packing_are_packed_whole(site: Site):
    key, place = site.ask("new_export")
    kill_worker_when(site, lambda: len(drafts(site)) == 1)
    weights = Path(place)
    weights.unlink()
    weights.write_bytes(WEIGHTS)

    go_on_until(site, lambda: site.ask("export", pk=key)["state"] == "ready")
    with tarfile.open(site.ask("export", pk=key)["path"]) as tar:
        _config, packed = tar.getmembers()
        assert tar.extractfile(packed).read() == WEIGHTS  # type: ignore[union-attr]
    assert len(drafts(site)) == 1  # the half one, for a day


def test_of_two_retries_at_once_one_makes_the_job(site: Site):
    first, second = site.ask("retries_at_once")
    assert first == second
