"""Why a submission stops half-way, and how its job goes on."""

from typing import Any


class ClaimLost(Exception):
    """This worker slept past its claim, or the job was cancelled before creation."""


class ApprovalGone(Exception):
    """The job would have to be created again, and that needs a new approval."""


class NotYet(Exception):
    """Nothing is wrong, but it takes a while: look again after `seconds`.

    `request_id`: the provider's name for the answer that was not clear.
    """

    def __init__(self, reason: str, seconds: float, request_id: str = "") -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.request_id = request_id


class Unsure(Exception):
    """The provider may have the job or not, and no further look would tell.

    `candidates` are the jobs there that may be it, as plain JSON.
    """

    def __init__(self, reason: str, candidates: list[dict[str, Any]]) -> None:
        super().__init__(reason)
        self.candidates = candidates
