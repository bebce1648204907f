"""What can go wrong here for a reason that the user can do something about.

DatasetsError
├── ChangedMeanwhile  somebody else changed the row after it was opened
├── BadEdit           a bulk edit that makes no sense
├── NotReviewed       a decision that its maker may not take, or that comes too late
├── FreezeFailed      no version was made
├── OtherMethod       the rows teach something else than those of the dataset
├── UnreadableFile    an upload that nothing can be read from
└── StorageFull       a file could not be written
"""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datasets_app.jsonl import Problem
from datasets_app.problem_texts import how_to_mend, what_is_wrong


class DatasetsError(Exception):
    """Its text is for the user: what happened, why, what to do next."""


class ChangedMeanwhile(DatasetsError):
    @classmethod
    def of(cls, example: Any) -> "ChangedMeanwhile":
        return cls(cls.text(example))

    @staticmethod
    def text(example: Any) -> str:
        return _(
            "%(user)s changed this example at %(time)s, after you had opened it. "
            "Nothing of yours is stored yet."
        ) % {
            "user": example.updated_by or _("Somebody"),
            "time": date_format(timezone.localtime(example.updated_at), "TIME_FORMAT"),
        }


class BadEdit(DatasetsError):
    pass


class NotReviewed(DatasetsError):
    pass


class FreezeFailed(DatasetsError):
    pass


class OtherMethod(DatasetsError):
    pass


class UnreadableFile(DatasetsError):
    @classmethod
    def because(cls, problem: Problem) -> "UnreadableFile":
        what = what_is_wrong(problem.code, problem.params)
        return cls(f"{what} {how_to_mend(problem.code)}")


class StorageFull(DatasetsError):
    @classmethod
    def because(cls, error: OSError) -> "StorageFull":
        return cls(
            _(
                "The file could not be stored: %(reason)s. Nothing that was stored "
                "before is lost. Make room on the server's disk and try again."
            )
            % {"reason": error.strerror or error}
        )
