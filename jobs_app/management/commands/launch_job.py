from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models import Exists, OuterRef
from django.urls import reverse

from datasets_app.command_teams import add_team_argument, find_dataset, find_team
from datasets_app.models import Dataset, DatasetVersion, Example
from jobs_app import kinds, services, tasks
from jobs_app.advice import what_to_do
from jobs_app.follow import Follower
from jobs_app.hyperparameters import AUTO
from jobs_app.links import full_address
from jobs_app.models import FineTuningJob, JobStatus, Provider
from jobs_app.providers import profile_of
from teams_app.models import Team
from teams_app.team_command import TeamCommand

EXPLAINED = {JobStatus.FAILED, JobStatus.DECLINED}
KNOBS = {"n_epochs": int, "batch_size": int, "learning_rate_multiplier": float}


class Command(TeamCommand):
    """Launch a job on the newest version of a dataset.

    What a script needs is on stdout, and the model's name is its last line; what a
    person needs besides goes to stderr.
    """

    help = "Train a model on the newest version of a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="the dataset's name")
        parser.add_argument(
            "--dataset-version",
            "-n",
            type=int,
            metavar="N",
            help="number of the version (default: the newest)",
        )
        parser.add_argument(
            "--provider", metavar="NAME", help="default: the built-in tuning server"
        )
        parser.add_argument(
            "--base-model", metavar="MODEL", help="default: the provider's default"
        )
        parser.add_argument("--epochs", dest="n_epochs", metavar="N")
        parser.add_argument("--batch-size", metavar="N")
        parser.add_argument("--learning-rate-multiplier", metavar="X")
        parser.add_argument("--suffix", default="", help="part of the model's name")
        parser.add_argument("--seed", type=int)
        parser.add_argument(
            "--wait", action="store_true", help="show the training until it ends"
        )
        add_team_argument(parser)

    def handle(self, *args: Any, dataset: str, team: str, **options: Any) -> None:
        found_team = find_team(team)
        version = self.find_version(
            find_dataset(found_team, dataset), options["dataset_version"]
        )
        job = self.launch(found_team, version, options)
        done = "Asked to launch" if is_awaiting(job) else "Launched"
        self.stdout.write(f"{done} job {job.pk} on {version} at {job.provider}")
        self.stdout.write(f"Page: {page_address(job)}")
        self.stderr.write(f"Estimate: {estimate_sentence(job)}")
        if is_awaiting(job):
            self.stderr.write("A launcher of the team must approve it before it runs.")
        if options["wait"]:
            self.follow(job)

    def find_version(self, dataset: Dataset, number: int | None) -> DatasetVersion:
        versions = dataset.versions.order_by("-number")
        version = (
            versions.first()
            if number is None
            else versions.filter(number=number).first()
        )
        if version is None and number is not None:
            raise CommandError(f"“{dataset}” has no version {number}.")
        if version is None:
            raise CommandError(
                f"“{dataset}” has no version to train on yet. Freeze one first: "
                f'./manage.py freeze "{dataset}"'
            )
        if number is None and has_changed_since(version):
            self.stderr.write(
                f"“{dataset}” has changed since {version} was frozen; the job trains "
                f'on the frozen rows. To train on the new ones: ./manage.py freeze "'
                f'{dataset}"'
            )
        return version

    def launch(
        self, team: Team, version: DatasetVersion, options: dict[str, Any]
    ) -> FineTuningJob:
        provider = find_provider(team, options["provider"])
        base_model = options["base_model"] or provider.default_base_model
        if not base_model:
            raise CommandError(
                f"The provider “{provider}” has no default base model. "
                "Name one with --base-model."
            )
        try:
            job = services.create_job(
                provider=provider,
                dataset_version=version,
                base_model=base_model,
                hyperparameters=knobs_of(options),
                suffix=options["suffix"],
                seed=options["seed"],
                by=None,
                launch_key=uuid4(),
            )
            services.launch_job(job, by=None)
        except ValidationError as exc:
            raise CommandError(" ".join(exc.messages)) from exc
        tasks.submit_job.delay_on_commit(job.pk)
        return job

    def follow(self, job: FineTuningJob) -> None:
        try:
            Follower(job, self.stderr).wait()
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped watching; job {job.pk} goes on. See {page_address(job)}",
                returncode=130,
            ) from None
        if job.status != JobStatus.SUCCEEDED:
            reason = reason_of(job)
            raise CommandError(
                f"Job {job.pk} {job.status}"
                + (f": {reason}" if job.status in EXPLAINED else "")
            )
        self.stderr.write(f"Base URL: {job.provider.base_url}")
        if job.provider.kind == kinds.BUILT_IN:
            self.stderr.write(f'Ask it: ./manage.py ask {job.fine_tuned_model} "…"')
        self.stdout.write(job.fine_tuned_model)


def reason_of(job: FineTuningJob) -> str:
    if job.status == JobStatus.DECLINED:
        request = job.approvals.first()
        return request.comment if request else ""
    return f"{job.error.get('message') or 'no reason was given'} {what_to_do(job)}"


def find_provider(team: Team, name: str | None) -> Provider:
    """The one so named; else the built-in one, or the only one."""
    providers = list(Provider.objects.filter(team=team))
    known = ", ".join(f"“{each}”" for each in providers) or "none"
    if name is not None:
        named = [each for each in providers if each.name == name]
        if not named:
            raise CommandError(f"“{team}” has no provider “{name}”. It has: {known}.")
        return named[0]
    built_in = [each for each in providers if each.kind == kinds.BUILT_IN]
    chosen = built_in or (providers if len(providers) == 1 else [])
    if not chosen:
        raise CommandError(f"Name one of the providers with --provider: {known}.")
    return chosen[0]


def estimate_sentence(job: FineTuningJob) -> str:
    if job.estimated_tokens is None:
        return "the version's tokens are still being counted; see the job's page."
    tokens = f"{job.estimated_tokens:,} tokens in {job.estimated_epochs} epochs"
    if not profile_of(job.provider).costs_money:
        return f"{tokens}; on the built-in server that costs nothing but time."
    if job.estimated_usd is None:
        return (
            f"{tokens}; no price for {job.base_model} at {job.provider} is known. "
            "Add one to the price book in the admin."
        )
    return f"{tokens}, about {job.estimated_usd:.2f} USD."


def is_awaiting(job: FineTuningJob) -> bool:
    return job.status == JobStatus.AWAITING_APPROVAL


def knobs_of(options: dict[str, Any]) -> dict[str, Any]:
    """The hyperparameters that were given; services judge their ranges."""
    given = {name: options[name] for name in KNOBS if options[name] is not None}
    try:
        return {
            name: AUTO if text == AUTO else KNOBS[name](text)
            for name, text in given.items()
        }
    except ValueError as exc:
        raise CommandError(f"A hyperparameter is “auto” or a number: {exc}.") from exc


def has_changed_since(version: DatasetVersion) -> bool:
    """Was a row added, edited, reviewed or removed since the version was frozen?"""
    at, dataset = version.created_at, version.dataset
    if dataset.examples.filter(updated_at__gt=at).exists():
        return True
    if Example.with_deleted.filter(dataset=dataset, deleted_at__gt=at).exists():
        return True
    # The manifest keeps the ids of rows that were deleted for good.
    stored = Example.with_deleted.filter(pk=OuterRef("example_id"))
    known = version.rows.filter(example_id__isnull=False)
    return known.filter(~Exists(stored)).exists()


def page_address(job: FineTuningJob) -> str:
    return full_address(reverse("jobs:detail", args=[job.pk]))
