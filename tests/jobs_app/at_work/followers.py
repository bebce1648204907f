"""Kill whoever follows or cancels a job at a known step; nothing that happened is lost.

Two workers and two beats all the while, and a web process where a person asks.
"""

import contextlib
from collections import Counter
from collections.abc import Callable
from threading import Thread
from typing import Any

import httpx2

from tests.datasets_app.at_work.site import Site
from tests.end_to_end.site import free_port
from tests.jobs_app.at_work.kills import Step, empty_broker, kill, wait_for
from tests.jobs_app.faults import Hold
from tests.jobs_app.faulty_provider import FaultyProvider

# So many that they are listed; of a few each is asked about.
N_LISTED = 5
RESULTS = b"step,train_loss\n1,0.9\n2,0.5\n"
FOLLOWING = [
    Step("list_jobs", False),
    Step("list_jobs", True),
    Step("show_job", True),
    Step("list_events", False),
    Step("list_events", True),
    Step("list_checkpoints", True),
    Step("file_content", True),
]
CANCELLING = [Step("cancel_job", False), Step("cancel_job", True)]
PAUSING = [
    Step("pause_job", False),
    Step("pause_job", True),
    Step("resume_job", False),
    Step("resume_job", True),
]
Death = Callable[["Followers"], None]


class Followers:
    """The processes of a site that follow its jobs."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.ask("let_beats_tick")
        site.start_beat()
        site.start_beat()
        self.start_workers()
        self.web: Any = None

    def start_workers(self) -> None:
        self.workers = []
        for _ in range(2):
            self.site.start_worker()
            self.workers.append(self.site.worker)

    def kill_workers(self) -> None:
        """With kill -9, all at once; others take their place."""
        for worker in self.workers:
            kill(worker)
        self.start_workers()

    def empty_broker(self) -> None:
        empty_broker(self.site)

    def start_web(self) -> None:
        self.port = free_port()
        self.site.env["SITE_PORT"] = str(self.port)
        command = "gunicorn finetune_site.wsgi --config finetune_site/gunicorn_web.py"
        self.web = self.site.start("-m", *command.split(), "--workers", "1")
        wait_for(self.answers, self.site)

    def answers(self) -> bool:
        with contextlib.suppress(httpx2.TransportError):
            url = f"http://127.0.0.1:{self.port}/healthz"
            return httpx2.get(url, timeout=60).status_code == 200
        return False

    def kill_web(self) -> None:
        kill(self.web)
        self.web = None


class Followed:
    """Running jobs of a provider that nobody else asks about."""

    def __init__(self, site: Site, faulty: FaultyProvider, n_jobs: int = 1) -> None:
        faulty.forget()
        site.ask("forget_jobs")
        self.site, self.faulty = site, faulty
        self.provider = site.ask("new_provider", base_url=faulty.base_url)
        self.remote_ids = [
            faulty.add_job(status="running")["id"] for _ in range(n_jobs)
        ]
        ours = {"provider": self.provider, "remote_ids": self.remote_ids}
        self.jobs = site.ask("follow_jobs", **ours)
        self.token = site.ask("new_token", provider=self.provider)

    def happens(self, what: str) -> None:
        for remote_id in self.remote_ids:
            self.faulty.add_event(remote_id, what)

    def ends(self) -> None:
        file = self.faulty.add_file("results.csv", RESULTS)
        for remote_id in self.remote_ids:
            fields = {"status": "succeeded", "result_files": [file["id"]]}
            self.faulty.jobs[remote_id].update(fields, fine_tuned_model="ft:tuned")

    def stories(self) -> list[dict[str, list[str]]]:
        return [self.site.ask("story", job=job) for job in self.jobs]

    def moves(self) -> list[list[str]]:
        return [story["moves"] for story in self.stories()]

    def all_is_told(self) -> bool:
        """Every event of the provider is there once, and the figures of the file."""
        for remote_id, story in zip(self.remote_ids, self.stories(), strict=True):
            there = [event["id"] for event in self.faulty.events[remote_id]]
            if len(story["told"]) != len(there) + 2 or not set(there) < {
                *story["told"]
            }:
                return False
        return True

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        self.site.ask("look_now")
        wait_for(is_so, self.site)


def dies_following(
    step: Step, death: Death, staff: Followers, faulty: FaultyProvider
) -> None:
    followed = Followed(
        staff.site, faulty, N_LISTED if step.operation == "list_jobs" else 1
    )
    followed.happens("before")
    if step.operation == "file_content":
        followed.ends()
    hold = faulty.holds(step.operation, acts_first=step.acts_first)
    staff.site.ask("look_now")
    wait_for(hold.reached.is_set, staff.site)
    followed.happens("while somebody died")
    followed.ends()
    death(staff)
    hold.released.set()
    followed.wait_until(followed.all_is_told)

    assert {tuple(moves) for moves in followed.moves()} == {("running → succeeded",)}


def dies_cancelling(
    step: Step, death: Death, staff: Followers, faulty: FaultyProvider
) -> None:
    followed = Followed(staff.site, faulty)
    hold = faulty.holds(step.operation, acts_first=step.acts_first)
    staff.site.ask("wish_to_cancel", job=followed.jobs[0])
    staff.site.ask("look_now")
    wait_for(hold.reached.is_set, staff.site)
    death(staff)
    hold.released.set()
    followed.wait_until(lambda: followed.moves() != [[]])

    assert followed.moves() == [["running → cancelled"]]
    assert [job["status"] for job in faulty.jobs.values()] == ["cancelled"]


def web_dies_cancelling(step: Step, staff: Followers, faulty: FaultyProvider) -> None:
    """The wish was noted before the provider was asked, so a poll carries it out."""
    followed = Followed(staff.site, faulty)
    hold = faulty.holds(step.operation, acts_first=step.acts_first)
    die_asking(followed, "cancel", hold, staff)
    followed.wait_until(lambda: followed.moves() != [[]])

    [story] = followed.stories()
    who = f"by mina{followed.provider}"
    assert story["noted"] == [f"cancel requested {who}"]
    assert Counter(story["moves"]).total() == 1
    assert [job["status"] for job in faulty.jobs.values()] == ["cancelled"]


def web_dies_pausing(step: Step, staff: Followers, faulty: FaultyProvider) -> None:
    """Nothing is noted before; whoever asks again is heard, and the poll tells."""
    followed = Followed(staff.site, faulty)
    if is_resume := step.operation == "resume_job":
        faulty.jobs[followed.remote_ids[0]]["status"] = "paused"
        followed.wait_until(lambda: followed.moves() != [[]])
    hold = faulty.holds(step.operation, acts_first=step.acts_first)
    die_asking(followed, "resume" if is_resume else "pause", hold, staff)
    moves = ["running → paused", "paused → queued"][: 2 if is_resume else 1]
    if not step.acts_first:
        staff.start_web()
        ask(followed, "resume" if is_resume else "pause", staff)
        staff.kill_web()
    followed.wait_until(lambda: len(followed.moves()[0]) >= len(moves))

    [story] = followed.stories()
    assert [move.partition(" by ")[0] for move in story["moves"]] == moves


def die_asking(followed: Followed, what: str, hold: Hold, staff: Followers) -> None:
    """A person asks for it, and the web process dies before it is answered."""
    if staff.web is None:
        staff.start_web()
    person = Thread(target=ask, args=(followed, what, staff))
    person.start()
    wait_for(hold.reached.is_set, staff.site)
    staff.kill_web()
    hold.released.set()
    person.join()


def ask(followed: Followed, what: str, staff: Followers) -> None:
    url = f"http://127.0.0.1:{staff.port}/api/jobs/{followed.jobs[0]}/{what}"
    with contextlib.suppress(httpx2.TransportError):
        headers = {"Authorization": f"Bearer {followed.token}"}
        answer = httpx2.post(url, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
