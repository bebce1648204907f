"""Every page that must be usable by all; a new page adds its line here."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.timezone import now

from benchmarks.job_history import add_story, metrics_events
from jobs_app.models import JobEvent, JobStatus
from teams_app.models import Team
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_provider,
    make_version,
)

# URL names that need no row.
PLAIN = [
    "home",
    "account:tokens",
    "account:password",
    "datasets:list",
    "datasets:new",
    "jobs:list",
    "jobs:new",
    "admin:index",
    "admin:teams_app_team_changelist",
    "admin:teams_app_team_add",
    "admin:teams_app_user_changelist",
    "admin:teams_app_user_add",
]


def team_in_admin(team: Team) -> str:
    return reverse("admin:teams_app_team_change", args=[team.pk])


def running_job(team: Team) -> str:
    job = make_job(team=team, status=JobStatus.RUNNING, launched_at=now())
    add_story(job, 20)
    JobEvent.objects.bulk_create(metrics_events(job, 20))
    return reverse("jobs:detail", args=[job.pk]) + "?points=1"


def finished_job(team: Team) -> str:
    version = make_version(dataset=make_dataset(team=team), validation=chat_lines(6))
    job = make_job(
        dataset_version=version,
        status=JobStatus.SUCCEEDED,
        fine_tuned_model="ft:SmolLM2-135M-Instruct:default:polite-answers:a1b2c3d4",
    )
    add_story(job, 20)
    return reverse("jobs:detail", args=[job.pk])


def failed_job(team: Team) -> str:
    error = {"code": "invalid_n_examples", "message": "Only 7 examples"}
    job = make_job(team=team, status=JobStatus.FAILED, error=error)
    return reverse("jobs:detail", args=[job.pk])


def job_history(team: Team) -> str:
    finished_job(team)
    running_job(team)
    return reverse("jobs:list")


def home_with_jobs(team: Team) -> str:
    job_history(team)
    return reverse("home")


def new_job(team: Team) -> str:
    make_provider(team=team)
    version = make_version(dataset=make_dataset(team=team), training=chat_lines(9))
    return reverse("jobs:new") + f"?version={version.pk}"


# Pages of a row: each makes what it shows in the given team and returns the address.
OF_A_ROW: list[Callable[[Team], str]] = [
    team_in_admin,
    running_job,
    finished_job,
    failed_job,
    job_history,
    home_with_jobs,
    new_job,
]


def plain(name: str) -> Callable[[Team], str]:
    def address(_team: Team) -> str:
        return reverse(name)

    address.__name__ = name
    return address


PAGES = [plain(name) for name in PLAIN] + OF_A_ROW
