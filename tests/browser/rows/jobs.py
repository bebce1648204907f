"""Jobs and providers, as the pages show them."""

from datetime import timedelta
from decimal import Decimal

from django.utils.timezone import now

from jobs_app import services as jobs
from jobs_app.models import (
    EventType,
    FineTuningJob,
    Heartbeat,
    JobStatus,
    LeftoverFile,
    LeftoverReason,
    Provider,
    ProviderCheck,
    RequestResult,
    WebhookDoor,
    count_requests,
)
from teams_app.models import Role, Team
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_version,
)


def estimated_job(team: Team) -> FineTuningJob:
    return make_job(
        team=team,
        status=JobStatus.SUCCEEDED,
        launched_at=now(),
        finished_at=now(),
        estimated_epochs=3,
        estimated_tokens=1_000_000,
        usd_per_million_tokens=25,
        trained_tokens=1_500_000,
    )


def provider(team: Team) -> Provider:
    return make_provider(team=team)


def webhook_door(team: Team) -> WebhookDoor:
    return WebhookDoor.objects.create(provider=make_provider(team=team), secret="s")


def job_for_later(team: Team) -> FineTuningJob:
    at = now() + timedelta(days=1)
    return make_job(team=team, status=JobStatus.PENDING, scheduled_for=at)


def checked_provider(team: Team) -> Provider:
    """Its check is half way, and it is known to lack something."""
    made = make_provider(team=team, kind="azure", abilities={"seed": False})
    lines = [("models", "works"), ("file", "unclear"), ("uploads", "fails")]
    ProviderCheck.objects.create(
        provider=made,
        base_url=made.base_url,
        base_model="gpt-4.1-2025-04-14",
        n_total=13,
        n_done=len(lines),
        results=[
            {"step": step, "result": result, "words": "No such route.", "found": {}}
            for step, result in lines
        ],
    )
    return made


def deployable_job(team: Team) -> FineTuningJob:
    provider = make_provider(team=team, kind="azure")
    model = "gpt-4.1-2025-04-14.ft-0123456789abcdef0123456789abcdef-card-game"
    return make_job(
        team=team, provider=provider, status=JobStatus.SUCCEEDED, fine_tuned_model=model
    )


def running_job(team: Team) -> FineTuningJob:
    job = make_job(team=team, status=JobStatus.RUNNING, launched_at=now(), suffix="v1")
    for step in range(1, 9):
        data = {"step": step, "total_steps": 12, "train_loss": 2 / step}
        if step % 4 == 0:
            data["valid_loss"] = 2.5 / step
        job.events.create(type=EventType.METRICS, message=f"Step {step}", data=data)
    return job


def finished_job(team: Team) -> FineTuningJob:
    job = make_job(
        dataset_version=make_version(
            dataset=make_dataset(team=team), validation=chat_lines(2)
        ),
        status=JobStatus.SUCCEEDED,
        fine_tuned_model="ft:base-model:team:v1:a1b2c3",
        launched_at=now(),
        finished_at=now(),
    )
    job.held_out_answers.create(
        line_number=1,
        question="Question 1?",
        expected="Answer 1.",
        base_answer="I do not know.",
        tuned_answer="Answer 1.",
    )
    return job


def failed_job(team: Team) -> FineTuningJob:
    reason = {"code": "invalid_training_file", "message": "Row 3 has no answer."}
    return make_job(team=team, status=JobStatus.FAILED, error=reason, finished_at=now())


def unsure_job(team: Team) -> FineTuningJob:
    """Two of the provider's jobs may be it."""
    seen = {"base_model": "gpt-4.1-mini-2025-04-14", "training_file": "file-abc"}
    candidates = [
        {"id": "ftjob-4n1wuLqQx2Lp8m", "status": "running", "suffix": "", **seen}
        | {"created_at": now().isoformat()},
        {"id": "ftjob-9T0oYcVb3Zr7ka", "status": "", "suffix": "cards", **seen}
        | {"created_at": ""},
    ]
    return make_job(
        team=team,
        status=JobStatus.UNSURE,
        launched_at=now() - timedelta(minutes=12),
        create_sent_at=now() - timedelta(minutes=11),
        sent_training_file="file-abc",
        candidates=candidates,
        poll_problem="Tuner may have the job, but its answer was lost and no launch "
        "key is kept there. What it lists does not tell for certain which job is ours.",
    )


def asked_to_launch_again(team: Team) -> FineTuningJob:
    team.approve_always = True
    team.save()
    job = unsure_job(team)
    jobs.launch_again(job, by=make_member(Role.LAUNCHER, team))
    return job


def draft_for_later(team: Team) -> FineTuningJob:
    return make_job(team=team, scheduled_for=now() + timedelta(days=1))


def leftover(team: Team) -> LeftoverFile:
    return LeftoverFile.objects.create(
        provider=make_provider(team=team),
        remote_id="file-abc",
        name="dataset-v3-train-0123456789abcdef.jsonl",
        n_bytes=123_456,
        reason=LeftoverReason.UNUSED,
        seen_at=now(),
    )


def waiting_launch(team: Team) -> FineTuningJob:
    team.approve_always, team.month_limit_usd = True, Decimal(100)
    team.approve_above_limit = True
    team.save()
    job = make_job(team=team)
    jobs.launch_job(job, by=make_member(Role.LAUNCHER, team))
    return job


def one_launch_waits(team: Team) -> None:
    waiting_launch(team)


def declined_launch(team: Team) -> FineTuningJob:
    job = waiting_launch(team)
    owner = make_member(Role.OWNER, team)
    jobs.decline(job, by=owner, comment="The rows of chapter 3 are missing.")
    return job


def job_in_each_state(team: Team) -> None:
    for status in JobStatus:
        make_job(team=team, status=status, launched_at=now())


def provider_asked(team: Team) -> None:
    """And a worker that has not shown itself for a minute."""
    asked = make_provider(team=team)
    count_requests(asked, {RequestResult.OK: 1200, RequestResult.UNREACHABLE: 3})
    Heartbeat.objects.update(beaten_at=now() - timedelta(minutes=1))
