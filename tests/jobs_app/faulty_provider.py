"""An OpenAI-compatible server that fails in every way providers do, and counts.

In a test: `with FaultyProvider() as faulty: faulty.fails("create_job", …)`.
As a process of its own: `python -m tests.jobs_app.faulty_provider PORT`; then
`POST /control/fails {"operation": …, "kind": …, "times": 1, "arguments": {…}}`,
`POST /control/set {"keeps_metadata": false}` and `GET /control/counts` steer it.
"""

import re
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.jobs_app.fake_provider import FakeProvider, Fault, Request, RouteOf
from tests.jobs_app.faults import KINDS, OPERATIONS, Hold, answer_well
from tests.jobs_app.faulty_routes import FAULTY_ROUTES, with_training


@dataclass
class FaultyProvider(FakeProvider):
    """State and manners of the server; all may be changed while it runs."""

    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    # How often each kind of thing was made: job, file, upload, part.
    created: Counter[str] = field(default_factory=Counter)
    # A new job or file is not in any list for so long, though it can be asked for.
    unlisted_seconds: float = 0.0
    # A file is `uploaded` for so long; then it has `file_error`, if that is not empty.
    processing_seconds: float = 0.0
    file_error: str = ""
    keeps_metadata: bool = True
    honours_idempotency_key: bool = False
    # Whatever is listed is there twice.
    repeats_items: bool = False
    always_has_more: bool = False
    clock_skew_seconds: float = 0.0
    upload_lives_seconds: float = 3600.0
    # Jobs go through all states within this time; None: they stay as they are.
    training_seconds: float | None = None
    training_steps: int = 3

    more_routes: ClassVar[list[RouteOf]] = FAULTY_ROUTES

    def __post_init__(self) -> None:
        super().__post_init__()
        self._made_at: dict[str, float] = {}
        self._job_of_key: dict[str, str] = {}
        self._holds: list[Hold] = []

    def __exit__(self, *exc: Any) -> None:
        for hold in self._holds:
            hold.released.set()
        super().__exit__(*exc)

    # What goes wrong ---------------------------------------------------------

    def fails(
        self,
        operation: str,
        kind: str,
        *,
        times: int = 1,
        after: int = 0,
        **arguments: Any,
    ) -> None:
        """Let the next requests of this operation fail so: names as in `faults`.

        `after` so many more that are answered as they should be.
        """
        acts_first, make = KINDS[kind]
        method, path = OPERATIONS[operation]
        if after:
            self.faults.append(Fault(method, path, answer_well, after, True))
        self.faults.append(Fault(method, path, make(**arguments), times, acts_first))

    def holds(
        self, operation: str, *, acts_first: bool = False, is_answered: bool = False
    ) -> Hold:
        """Let the next request of this operation wait until it is released.

        `is_answered`, for those that act first: then it gets its answer, late.
        """
        hold = Hold(is_answered)
        self._holds.append(hold)
        method, path = OPERATIONS[operation]
        self.faults.append(Fault(method, path, hold, 1, acts_first))
        return hold

    def forget(self) -> None:
        """As if it had just been started."""
        with self.lock:
            for kept in (self.jobs, self.files, self.events, self.uploads):
                kept.clear()
            self.created.clear()
            self.requests.clear()
            self.faults.clear()

    # What happened -----------------------------------------------------------

    def count(self, operation: str) -> int:
        """How many requests of this operation came in, whatever became of them."""
        return len(self.sent(*OPERATIONS[operation]))

    def counts(self) -> dict[str, Any]:
        asked = {operation: self.count(operation) for operation in OPERATIONS}
        n_held = sum(hold.reached.is_set() for hold in self._holds)
        return {"created": dict(self.created), "requests": asked, "n_held": n_held}

    # What is there -----------------------------------------------------------

    def now(self) -> int:
        """Unix seconds by this server's clock."""
        return int(time.time() + self.clock_skew_seconds)

    def add_file(self, name: str, content: bytes, **fields: Any) -> dict[str, Any]:
        file = super().add_file(name, content, **{"created_at": self.now(), **fields})
        self._note_birth("file", file["id"])
        return self.shown(self.files[file["id"]])

    def shown(self, file: dict[str, Any]) -> dict[str, Any]:
        """The file as its age has it; a status set by a test or by hand stays."""
        shown = super().shown(file)
        if file["status"] != self.file_status:
            return shown
        if self.age(file["id"]) < self.processing_seconds:
            return {**shown, "status": "uploaded"}
        if self.file_error:
            return {**shown, "status": "error", "status_details": self.file_error}
        return shown

    def add_job(self, **fields: Any) -> dict[str, Any]:
        if not self.keeps_metadata:
            fields = {**fields, "metadata": None}
        job = super().add_job(**{"created_at": self.now(), **fields})
        self._note_birth("job", job["id"])
        return job

    def job_of_key(self, key: str, **fields: Any) -> dict[str, Any]:
        """The job that was made with this idempotency key, or a new one."""
        known = self._job_of_key.get(key) if self.honours_idempotency_key else None
        job = self.jobs[known] if known else self.add_job(**fields)
        self._job_of_key[key] = job["id"]
        return job

    def _note_birth(self, what: str, name: str) -> None:
        self.created[what] += 1
        self._made_at[name] = time.monotonic()

    def age(self, name: str) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._made_at.get(name, 0.0)

    def listed(self, items: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Newest first, without those that are too new to be seen."""
        return [
            each
            for each in reversed(list(items.values()))
            if self.age(each["id"]) >= self.unlisted_seconds
        ]

    def trained(self, job: dict[str, Any]) -> dict[str, Any]:
        return with_training(self, job)


def control(faulty: FaultyProvider, request: Request) -> Any:
    """Steer a server in another process; the routes of the module's docstring."""
    if request.path == "/control/fails":
        given = dict(request.json)
        arguments = given.pop("arguments", {})
        faulty.fails(**given, **arguments)
    elif request.path == "/control/set":
        for name, value in request.json.items():
            if not re.fullmatch(r"[a-z]\w+", name) or not hasattr(faulty, name):
                raise KeyError(name)
            setattr(faulty, name, value)
    return faulty.counts()


FAULTY_ROUTES[:0] = [
    ("GET", "/control/counts", control),
    ("POST", "/control/(?:fails|set)", control),
]


def main() -> None:
    with FaultyProvider(asked_port=int(sys.argv[1])):
        threading.Event().wait()


if __name__ == "__main__":
    main()
