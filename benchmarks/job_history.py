"""A team's year of fine-tuning, written straight into the database."""

import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from django.utils.timezone import now

from datasets_app.models import DatasetVersion
from jobs_app.models import (
    Checkpoint,
    EventType,
    FineTuningJob,
    HeldOutAnswer,
    JobEvent,
    JobStatus,
)
from teams_app.models import Role, User
from tests.factories import (
    chat_lines,
    make_dataset,
    make_member,
    make_provider,
    make_team,
    make_version,
)

STATUSES = cycle(
    [JobStatus.SUCCEEDED] * 7 + [JobStatus.FAILED] * 2 + [JobStatus.CANCELLED]
)
DATASETS = ("support tone", "refunds", "카드 게임 규칙", "release notes", "triage")
N_OPEN = 3
STEPS_OF_OTHER_JOBS = 12


@dataclass(frozen=True)
class History:
    user: User
    long_job: FineTuningJob


def seed(*, n_jobs: int, n_steps: int) -> History:
    """`n_jobs` jobs of one team; the newest is running and has `n_steps` steps."""
    team = make_team(name="Benchmark")
    user = make_member(Role.OWNER, team, username="benchmark")
    providers = [make_provider(team=team, name=name) for name in ("built-in", "OpenAI")]
    versions = [
        make_version(
            dataset=make_dataset(team=team, name=name),
            number=1,
            validation=chat_lines(6),
            validation_sha256=64 * "0",
        )
        for name in DATASETS
    ]
    jobs = FineTuningJob.objects.bulk_create(
        _job(n, n_jobs, user, provider, version)
        for n, provider, version in zip(
            range(n_jobs), cycle(providers), cycle(versions), strict=False
        )
    )
    JobEvent.objects.bulk_create(
        (
            event
            for job in jobs[:-1]
            for event in metrics_events(job, STEPS_OF_OTHER_JOBS)
        ),
        batch_size=1000,
    )
    JobEvent.objects.bulk_create(metrics_events(jobs[-1], n_steps))
    add_story(jobs[-1], n_steps)
    return History(user, jobs[-1])


def _job(
    n: int, n_jobs: int, user: User, provider: Any, version: DatasetVersion
) -> FineTuningJob:
    launched_at = now() - timedelta(hours=8 * (n_jobs - n), minutes=4)
    is_open = n_jobs - n <= N_OPEN
    status = JobStatus.RUNNING if is_open else next(STATUSES)
    is_done = status == JobStatus.SUCCEEDED
    return FineTuningJob(
        team=provider.team,
        provider=provider,
        dataset_version=version,
        base_model="SmolLM2-135M-Instruct",
        suffix=f"try-{n}",
        status=status,
        remote_id=f"ftjob-{n:024d}",
        fine_tuned_model=f"ft:SmolLM2-135M-Instruct:team:try-{n}:{n:08d}"
        if is_done
        else "",
        trained_tokens=41_000 + n if is_done else None,
        created_by=user,
        launched_at=launched_at,
        finished_at=None if is_open else launched_at + timedelta(seconds=170 + n % 90),
        last_polled_at=now(),
        estimated_finish_at=now() + timedelta(minutes=2) if is_open else None,
        error={"code": "server_error", "message": "the machine was switched off"}
        if status == JobStatus.FAILED
        else {},
    )


def metrics_events(job: FineTuningJob, n_steps: int) -> list[JobEvent]:
    """A loss that falls as losses do, with a validation every tenth step."""
    began = job.launched_at or now()
    return [
        JobEvent(
            job=job,
            remote_id=f"ftevent-{step}",
            created_at=began + timedelta(seconds=step),
            type=EventType.METRICS,
            message=f"Step {step}/{n_steps}",
            data=_metrics(step, n_steps),
        )
        for step in range(1, n_steps + 1)
    ]


def _metrics(step: int, n_steps: int) -> dict[str, Any]:
    share = step / n_steps
    noise = 0.12 * math.sin(step * 12.9898) * (1 - share)
    loss = 2.3 * math.exp(-4 * share) + 0.03 + abs(noise)
    data = {
        "step": step,
        "total_steps": n_steps,
        "train_loss": loss,
        "train_mean_token_accuracy": min(0.99, 1 - loss / 3),
    }
    if step % max(1, n_steps // 10) == 0:
        data["full_valid_loss"] = loss + 0.2
        data["full_valid_mean_token_accuracy"] = min(0.97, 0.95 - loss / 3)
    return data


def add_story(job: FineTuningJob, n_steps: int) -> None:
    """What a job gathers beside its figures."""
    steps = islice(range(n_steps // 4, n_steps + 1, max(1, n_steps // 4)), 3)
    Checkpoint.objects.bulk_create(
        Checkpoint(
            job=job,
            remote_id=f"ftckpt-{step}",
            name=f"ft:{job.base_model}:team:{job.suffix}:ckpt-step-{step}",
            step_number=step,
            metrics=_metrics(step, n_steps),
            created_at=now(),
        )
        for step in steps
    )
    HeldOutAnswer.objects.bulk_create(
        HeldOutAnswer(
            job=job,
            line_number=n,
            question=f"네더 블레이드는 한 턴에 피해를 얼마나 줍니까? ({n})",
            expected="30 damage: 10 from the area attack plus 20 from the single one.",
            base_answer="The Nether Blade is a powerful weapon in many games.",
            tuned_answer="30 damage: 10 from the area attack plus 20 from the single "
            + ("one." if n % 3 else "attack."),
        )
        for n in range(1, 7)
    )
    steps_of_life = [
        ("draft", "pending"),
        ("pending", "submitting"),
        ("submitting", "queued"),
        ("queued", "running"),
    ]
    JobEvent.objects.bulk_create(
        JobEvent(
            job=job,
            type=EventType.STATUS,
            created_at=(job.launched_at or now()) + timedelta(seconds=n),
            message=f"{old} → {new}",
            data={"from": old, "to": new, "note": "by benchmark" if n == 0 else ""},
        )
        for n, (old, new) in enumerate(steps_of_life)
    )
