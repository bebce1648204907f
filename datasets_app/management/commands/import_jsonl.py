import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from tqdm import tqdm

from datasets_app import services
from datasets_app.command_teams import add_team_argument, find_team
from datasets_app.formats import BESIDE, ROLES, ROW_KINDS, TABLES
from datasets_app.models import (
    Dataset,
    FileFormat,
    ImportRun,
    OnDuplicate,
    RunStatus,
    Split,
)
from datasets_app.problem_texts import how_to_mend, what_is_wrong
from datasets_app.services import previews
from teams_app.models import Team
from teams_app.team_command import TeamCommand

PROBLEMS_SHOWN = 10
POLL_SECONDS = 0.5


class Command(TeamCommand):
    help = (
        "Add the rows of a file to a dataset, which is made if it is missing. The file "
        "may be JSONL, a JSON array, CSV, TSV or Parquet, packed with gzip or not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="the dataset's name")
        parser.add_argument("file", type=Path)
        parser.add_argument("--split", choices=Split.values, default=Split.TRAIN.value)
        parser.add_argument(
            "--strict",
            action="store_true",
            help="add nothing if any row is invalid",
        )
        parser.add_argument(
            "--format",
            choices=FileFormat.values,
            help="how to read the file (default: what its first rows look like)",
        )
        parser.add_argument(
            "--columns",
            type=mapping,
            metavar="ROLE=COLUMN,…",
            help="of a table: user=question,assistant=answer. Roles: "
            f"{', '.join(ROLES)}; or kind=sharegpt, and the like",
        )
        parser.add_argument(
            "--on-duplicate",
            choices=OnDuplicate.values,
            default=OnDuplicate.SKIP.value,
            help="what to do with a row that the dataset has (default: %(default)s)",
        )
        add_team_argument(parser)

    def handle(
        self,
        *args: Any,
        dataset: str,
        file: Path,
        team: str,
        **options: Any,
    ) -> None:
        try:
            opened = file.open("rb")
        except OSError as exc:
            raise CommandError(f"Cannot read {file}: {exc.strerror}.") from exc
        with opened:
            try:
                run = self.start(opened, file.name, find_team(team), dataset, options)
            except services.DatasetsError as exc:
                raise CommandError(str(exc)) from exc
        try:
            follow(run)
        except KeyboardInterrupt:
            self.cancel(run)
        self.report(run)
        if run.status == RunStatus.FAILED:
            raise CommandError(run.get_error_display())

    def start(
        self,
        file: BinaryIO,
        name: str,
        team: Team,
        dataset_name: str,
        options: dict[str, Any],
    ) -> ImportRun:
        """A dataset is made only for a file that can be read. Raises DatasetsError."""
        services.recognise(file, name)
        dataset = find_or_create(team, dataset_name)
        run = services.store_upload(dataset=dataset, file=file, file_name=name)
        format = options["format"] or run.format
        found = run.mapping if format == run.format else {}
        columns = options["columns"] or found or previews.look_at(run, format).guess
        if format in TABLES and not columns:
            services.drop_upload(run)
            raise CommandError(
                "It cannot be told which columns hold the questions and the answers. "
                "Say so: --columns user=COLUMN,assistant=COLUMN."
            )
        chosen = {key: options[key] for key in ("split", "strict", "on_duplicate")}
        try:
            services.start_upload(
                run, format=format, mapping=columns, by=None, **chosen
            )
        except services.DatasetsError:
            services.drop_upload(run)
            raise
        self.stdout.write(f"{name}: read as {run.get_format_display()}")
        return run

    def cancel(self, run: ImportRun) -> NoReturn:
        services.cancel_import(run)
        run.refresh_from_db()
        self.report(run)
        raise CommandError(
            "Cancelled. The rows added so far are in the dataset. "
            f"`./manage.py undo_import {run.pk}` takes them out again; on the page "
            f"/datasets/imports/{run.pk}/ the import can go on where it stopped."
        )

    def report(self, run: ImportRun) -> None:
        self.stdout.write(
            f"{run.n_read} rows read, {run.n_added} added, {run.n_invalid} invalid, "
            f"{run.n_duplicate + run.n_replaced} duplicate"
        )
        for problem in run.problems.all()[:PROBLEMS_SHOWN]:
            number = problem.message_index
            place = f"line {problem.line_number}" + (
                f", message {number}" if number is not None else ""
            )
            what = what_is_wrong(problem.code, problem.params)
            self.stdout.write(f"  {place}: {what} {how_to_mend(problem.code)}")
        n_more = run.problems.count() - PROBLEMS_SHOWN
        if n_more > 0:
            self.stdout.write(
                f"  and {n_more} more, in the report: /datasets/imports/{run.pk}/"
            )


def mapping(text: str) -> dict[str, str]:
    """Of `--columns`: role=column, with commas between."""
    pairs = [part.partition("=") for part in text.split(",")]
    found = {role.strip(): column.strip() for role, _is, column in pairs}
    for role, column in found.items():
        if role not in (*ROLES, *BESIDE, "kind") or not column:
            raise ArgumentTypeError(f"“{role}={column}” is no role and its column")
    if found.get("kind", ROW_KINDS[0]) not in ROW_KINDS:
        raise ArgumentTypeError(f"kind is one of {', '.join(ROW_KINDS)}")
    return found


def find_or_create(team: Team, name: str) -> Dataset:
    found = Dataset.objects.filter(team=team, name=name).first()
    try:
        return found or services.create_dataset(team=team, name=name, by=None)
    except ValidationError as exc:
        raise CommandError(" ".join(exc.messages)) from exc


def follow(run: ImportRun) -> None:
    """Run the import with a progress bar.

    Where a worker took it first, which it may after a few seconds, wait for the worker.
    """
    with tqdm(total=run.n_total, unit="B", unit_scale=True, desc=run.file_name) as bar:

        def show(run: ImportRun) -> None:
            bar.set_postfix(added=run.n_added, invalid=run.n_invalid, refresh=False)
            bar.update(run.n_done - bar.n)

        services.run_import(run, on_progress=show)
        while run.is_open:
            time.sleep(POLL_SECONDS)
            run.refresh_from_db()
            show(run)
            services.run_import(run, on_progress=show)  # if nobody has it any more
