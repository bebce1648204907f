"""The validation questions with both models' answers, and how many were right."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs_app.models import FineTuningJob, HeldOutAnswer


@dataclass(frozen=True)
class Comparison:
    row: HeldOutAnswer
    base_is_right: bool
    tuned_is_right: bool


@dataclass(frozen=True)
class Summary:
    comparisons: Sequence[Comparison]
    n_answered: int
    n_base_right: int
    n_tuned_right: int


def held_out_summary(job: FineTuningJob) -> Summary:
    compared = [
        Comparison(
            row=row,
            base_is_right=is_same(row.base_answer, row.expected),
            tuned_is_right=is_same(row.tuned_answer, row.expected),
        )
        for row in job.held_out_answers.all()
    ]
    return Summary(
        comparisons=compared,
        n_answered=sum(1 for each in compared if each.row.tuned_answer),
        n_base_right=sum(each.base_is_right for each in compared),
        n_tuned_right=sum(each.tuned_is_right for each in compared),
    )


def is_same(answer: str, expected: str) -> bool:
    """Word for word; only white space may differ."""
    return bool(answer.strip()) and answer.split() == expected.split()
