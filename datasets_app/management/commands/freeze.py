import time
from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError
from django.urls import reverse
from tqdm import tqdm

from datasets_app import services
from datasets_app.chat_format import MINIMUM_ROWS
from datasets_app.command_teams import add_team_argument, find_dataset, find_team
from datasets_app.models import DatasetVersion, FreezeRun
from teams_app.team_command import TeamCommand

POLL_SECONDS = 0.5


class Command(TeamCommand):
    help = "Make a version of a dataset: the exact bytes to train on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="the dataset's name")
        parser.add_argument(
            "--approved-only",
            action=BooleanOptionalAction,
            help="only approved rows, or every valid one that is not rejected "
            "(default: what the team has decided)",
        )
        parser.add_argument("--note", default="", help="what is new in this version")
        add_team_argument(parser)

    def handle(
        self,
        *args: Any,
        dataset: str,
        approved_only: bool | None,
        note: str,
        team: str,
        **options: Any,
    ) -> None:
        found = find_dataset(find_team(team), dataset)
        if approved_only is None:
            approved_only = found.team.approved_only
        run = services.start_freeze(
            dataset=found, by=None, approved_only=approved_only, note=note
        )
        follow(run)
        if run.version is None:
            raise CommandError(run.get_error_display() or run.get_status_display())
        self.report(run.version)

    def report(self, version: DatasetVersion) -> None:
        self.stdout.write(f"Froze {version}")
        self.stdout.write(
            f"  training    {version.n_training_rows} rows, "
            f"{version.n_training_tokens} tokens, sha256 {version.training_sha256}"
        )
        if version.n_validation_rows:
            self.stdout.write(
                f"  validation  {version.n_validation_rows} rows, "
                f"{version.n_validation_tokens} tokens, "
                f"sha256 {version.validation_sha256}"
            )
        if same := version.first_with_same_content():
            self.stdout.write(f"  The content is identical to that of {same}.")
        if version.is_below_minimum:
            self.stderr.write(
                f"  Warning: OpenAI refuses fewer than {MINIMUM_ROWS} training rows. "
                "The built-in server takes them."
            )
        self.stdout.write(f"  See {reverse('datasets:version', args=[version.pk])}")


def follow(run: FreezeRun) -> None:
    """Freeze with a progress bar; wait where a worker was quicker to take the run."""
    with tqdm(unit=" rows", desc=str(run.dataset)) as bar:

        def show(run: FreezeRun) -> None:
            bar.total = run.n_total
            bar.update(run.n_done - bar.n)

        services.run_freeze(run, on_progress=show)
        while run.is_open:
            time.sleep(POLL_SECONDS)
            run.refresh_from_db()
            show(run)
