"""What the steps of a check have in common: their names, their outcomes, what they
may spend, and what they remember."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from datasets_app.services import runs
from jobs_app.models import ProviderCheck, StepResult
from jobs_app.providers import Ability, ProviderClient

STEP_NAMES = {
    "models": _("list the models"),
    "file": _("upload a tiny file"),
    "processed": _("wait until the file is read"),
    "uploads": _("uploads in parts"),
    "job": _("create a job"),
    "listing": _("find the job by our launch key"),
    "events": _("read its events"),
    "checkpoints": _("read its checkpoints"),
    "dpo": _("create a job that trains on preferences"),
    "pause": _("pause and resume"),
    "cancel": _("cancel"),
    "chat": _("ask the base model"),
    "clean": _("take everything away again"),
}


# {ability: does the provider have it}
Found = Mapping[Ability, bool]


class NotYet(Exception):
    """The step has to wait for the provider; a tick takes it up again."""


@dataclass(frozen=True)
class Outcome:
    """What a step found."""

    result: StepResult
    words: str = ""
    found: Found = field(default_factory=dict)
    is_last: bool = False  # nothing after it makes sense, but for cleaning up

    @classmethod
    def works(cls, words: str = "", found: Found | None = None) -> "Outcome":
        return cls(StepResult.WORKS, words, found or {})

    @classmethod
    def fails(
        cls, words: str, found: Found | None = None, *, is_last: bool = False
    ) -> "Outcome":
        return cls(StepResult.FAILS, words, found or {}, is_last)

    @classmethod
    def unclear(cls, words: str) -> "Outcome":
        return cls(StepResult.UNCLEAR, words)

    @classmethod
    def left_out(cls, words: str) -> "Outcome":
        return cls(StepResult.LEFT_OUT, words)


@dataclass(frozen=True)
class Walk:
    """A check on its way, and the line to its provider."""

    check: ProviderCheck
    client: ProviderClient

    def recall(self, name: str, default: Any = None) -> Any:
        return self.check.memory.get(name, default)

    def remember(self, **what: Any) -> None:
        """Store it before going on: whoever takes over must know. Raises LostClaim."""
        runs.update(self.check, memory={**self.check.memory, **what})

    def wait(self, name: str, *, times: int) -> bool:
        """Come back later, `times` times at most; False: it was waited enough."""
        n_waited = self.recall(f"waited for {name}", 0)
        if n_waited >= times:
            return False
        self.remember(**{f"waited for {name}": n_waited + 1})
        raise NotYet
