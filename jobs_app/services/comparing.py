"""Held-out questions: what the base model says, and what the tuned one says."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from jobs_app.log_fields import about_job
from jobs_app.models import FineTuningJob, HeldOutAnswer, JobStatus
from jobs_app.providers import ProviderRejected, ProviderUnavailable
from jobs_app.services.asking import ask
from teams_app import audit
from teams_app.models import Verb

log = logging.getLogger(__name__)

MAX_QUESTIONS = 12
# An answer may run past the expected one by this much before it is cut: a base model
# that rambles would cost minutes, and no token is shorter than a byte.
TOKENS_PAST_EXPECTED = 32
LONGEST_ANSWER_TOKENS = 1000
# Two answers, each within its deadline.
COMPARISON_CLAIM_SECONDS = 300


def compare_on_held_out_rows(job: FineTuningJob) -> None:
    """Answer every held-out question that has no answers yet."""
    while compare_one_held_out_row(job):
        pass


@transaction.atomic
def request_comparison(job: FineTuningJob, *, by: Any = None) -> None:
    """Note that somebody wants the comparison; it costs money at most providers."""
    audit.record(Verb.COMPARED, job, by=by)
    FineTuningJob.objects.filter(pk=job.pk).update(next_comparison_at=now())


def compare_one_held_out_row(job: FineTuningJob) -> bool:
    """Have both models answer the next question. True: there may be more of them.

    One question a call, so that polls never wait behind a whole comparison; the next
    one is due at once, and the tick finds it.
    """
    question = _next_question(job) if job.status == JobStatus.SUCCEEDED else None
    if question is None:
        _schedule(job, None)
        return False
    line_number, asked, expected = question
    room = len(expected.encode()) + TOKENS_PAST_EXPECTED
    alike: dict[str, Any] = {
        "provider": job.provider,
        "messages": asked,
        "max_tokens": min(room, LONGEST_ANSWER_TOKENS),
    }
    try:
        base = ask(model=job.base_model, **alike)
        tuned = ask(model=job.answering_model, **alike)
    except ProviderUnavailable as exc:
        log.warning("the comparison has to wait", extra=about_job(job, exc))
        _schedule(job, _patience_seconds(job))
        return False
    except ProviderRejected as exc:
        job.events.create(
            level="warn", message=f"no comparison: {exc}", request_id=exc.request_id
        )
        _schedule(job, None)
        return False
    HeldOutAnswer.objects.update_or_create(
        job=job,
        line_number=line_number,
        defaults={
            "question": _question_text(asked),
            "expected": expected,
            "base_answer": base.text,
            "tuned_answer": tuned.text,
        },
    )
    _schedule(job, 0)
    return True


def _patience_seconds(job: FineTuningJob) -> float:
    """A minute at first, longer the longer ago the job finished, at most an hour."""
    age = now() - (job.finished_at or now())
    return min(3600.0, max(60.0, age.total_seconds() / 4))


def _schedule(job: FineTuningJob, seconds: float | None) -> None:
    due = None if seconds is None else now() + timedelta(seconds=seconds)
    FineTuningJob.objects.filter(pk=job.pk).update(next_comparison_at=due)


def _next_question(job: FineTuningJob) -> tuple[int, list[dict[str, Any]], str] | None:
    answered = set(job.held_out_answers.values_list("line_number", flat=True))
    for line_number, messages in _held_out_rows(job):
        if line_number not in answered and (question := _as_question(messages)):
            return line_number, *question
    return None


def _held_out_rows(job: FineTuningJob) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """(line number, messages) of the first validation rows of the frozen version."""
    if not job.dataset_version.validation_file:
        return
    with job.dataset_version.validation_file.open("rb") as file:
        for line_number, line in enumerate(file, start=1):
            if line_number > MAX_QUESTIONS:
                return
            yield line_number, json.loads(line)["messages"]


def _as_question(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], str] | None:
    """All turns before the last answer, and that answer; None if there is none."""
    for i in range(len(messages) - 1, 0, -1):
        turn = messages[i]
        if turn["role"] == "assistant" and isinstance(turn.get("content"), str):
            asked = [
                {k: v for k, v in m.items() if k != "weight"} for m in messages[:i]
            ]
            return asked, turn["content"]
    return None


def _question_text(asked: list[dict[str, Any]]) -> str:
    """The last thing the user said, for people to read."""
    users = [turn.get("content") for turn in asked if turn["role"] == "user"]
    last = users[-1] if users else ""
    return last if isinstance(last, str) else json.dumps(last, ensure_ascii=False)
