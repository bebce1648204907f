"""What a fresh installation needs before it can serve: each step harmless to repeat."""

import secrets
from contextlib import suppress

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from datasets_app import services as datasets
from datasets_app.models import BaseModel, Dataset, DatasetVersion, Split
from jobs_app import kinds
from jobs_app import services as jobs
from jobs_app.models import FineTuningJob, Provider
from teams_app import audit
from teams_app.access import default_team
from teams_app.models import Membership, Role, Team, User, Verb
from tuning_server_app import services as tuning_server

SAMPLE_NAME = "Card game (sample)"
SAMPLE_FOLDER = settings.BASE_DIR / "datasets_app" / "sample"
SAMPLE_FILES = {
    Split.TRAIN: "card_game.training.jsonl",
    Split.VALIDATION: "card_game.validation.jsonl",
}
# Task → seconds between two ticks, at first; from then on the admin decides.
TICKS = {
    "jobs_app.tasks.drive_open_jobs": 3,
    "jobs_app.tasks.drive_notices": 5,
    "jobs_app.tasks.watch_jobs": 300,
    "datasets_app.tasks.drive_runs": 5,
    "tuning_server_app.tasks.drive_training": 3,
}


def make_first_admin() -> str | None:
    """Create `admin`, owner of the default team, if there is no user at all.

    Returns:
        the random password, which is also kept in var/admin-password, or None.
    """
    if User.objects.exists():
        return None
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        admin = User.objects.create_superuser("admin", password=password)
        owner = Membership(team=default_team(), user=admin, role=Role.OWNER)
        owner.save()
        audit.record(Verb.ADDED, owner, by=None, label="admin", role=Role.OWNER)
        kept = settings.VAR_DIR / "admin-password"
        kept.touch(mode=0o600)
        kept.write_text(f"{password}\n")
    return password


def make_ticks() -> None:
    """Schedule the ticks that are missing; intervals edited in the admin stay."""
    for task, seconds in TICKS.items():
        if task.startswith("tuning_server_app") and not settings.TUNING_SERVER:
            continue
        if not PeriodicTask.objects.filter(task=task).exists():
            every, _created = IntervalSchedule.objects.get_or_create(
                every=seconds, period=IntervalSchedule.SECONDS
            )
            PeriodicTask.objects.create(
                name=task.rpartition(".")[2].replace("_", " ").capitalize(),
                task=task,
                interval=every,
            )


def make_base_models_and_prices() -> None:
    """Give them to the teams that were made before teams began with some."""
    for team in Team.objects.all():
        datasets.seed_base_models(team)
        jobs.seed_prices(team)


def make_built_in_providers() -> None:
    """Give every team the built-in tuning server, at the address it has this time."""
    base_url = f"http://127.0.0.1:{settings.SITE_PORT}/v1"
    for team in Team.objects.all():
        provider = Provider.objects.filter(team=team, kind=kinds.BUILT_IN).first()
        if provider is None:
            Provider.objects.create(
                team=team,
                name="Built-in tuning server",
                kind=kinds.BUILT_IN,
                base_url=base_url,
                api_key=_new_key(team),
                default_base_model=next(iter(settings.TUNING_SERVER_BASE_MODELS)),
            )
        elif (provider.base_url, provider.key_base_url) != (base_url, base_url):
            provider.base_url = provider.key_base_url = base_url  # it is our own server
            provider.save(update_fields=["base_url", "key_base_url"])


def _new_key(team: Team) -> str:
    """The portal's key for a team's models; one of a deleted provider is revoked."""
    name = f"portal, team {team.slug}"
    with suppress(tuning_server.KeyUnknown):
        tuning_server.revoke_key(name, team.slug)
    return tuning_server.create_key(name, team.slug)


def load_sample() -> DatasetVersion | None:
    """Import and freeze the sample dataset, if there is no dataset at all."""
    if Dataset.objects.exists():
        return None
    dataset = datasets.create_dataset(team=default_team(), name=SAMPLE_NAME, by=None)
    if settings.TUNING_SERVER:
        name = next(iter(settings.TUNING_SERVER_BASE_MODELS))
        model = BaseModel.objects.filter(team=dataset.team, name=name).first()
        datasets.choose_base_model(dataset, model, by=None)
    for split, name in SAMPLE_FILES.items():
        with (SAMPLE_FOLDER / name).open("rb") as file:
            run = datasets.start_import(
                dataset=dataset,
                file=File(file),
                file_name=name,
                split=split,
                strict=True,
                by=None,
            )
        datasets.run_import(run)
    return datasets.freeze(dataset=dataset, by=None, note="First start")


def launch_sample(version: DatasetVersion) -> FineTuningJob:
    """Launch the sample's training on the built-in server; a tick finds it."""
    provider = Provider.objects.get(team=version.dataset.team, kind=kinds.BUILT_IN)
    job = jobs.create_job(
        provider=provider,
        dataset_version=version,
        base_model=provider.default_base_model,
        hyperparameters={},
        suffix="card-game",
        seed=42,
        by=None,
    )
    jobs.launch_job(job, by=None)
    return job
