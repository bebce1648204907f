"""Who hears of what, in tests: a webhook, a reader, a job that fails, a tick."""

from guarded_calls.signing import new_secret
from jobs_app import tasks
from jobs_app.models import TOLD, FineTuningJob, JobStatus, NoticeChoice, Webhook
from jobs_app.services.notices import claim_due_deliveries, spread_notices
from teams_app.models import Role, Team, User
from tests.factories import make_job, make_member


def make_webhook(team: Team, url: str, **overrides) -> Webhook:
    defaults = {"name": "Chat", "secret": new_secret(), "kinds": list(TOLD)}
    return Webhook.objects.create(team=team, url=url, **{**defaults, **overrides})


def reader(team: Team, *kinds: str, role: Role = Role.VIEWER, **overrides) -> User:
    user = make_member(role, team, **{"email": "mina@example.org", **overrides})
    for kind in kinds:
        NoticeChoice.objects.create(user=user, kind=kind)
    return user


def failed_job(team: Team) -> FineTuningJob:
    job = make_job(team=team, status=JobStatus.RUNNING)
    job.move_to(JobStatus.FAILED)
    return job


def drive() -> None:
    """What the tick does, here and now."""
    spread_notices()
    for pk in claim_due_deliveries():
        tasks.deliver_notice(pk)
