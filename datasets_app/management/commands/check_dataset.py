import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from datasets_app.command_teams import add_team_argument, find_dataset, find_team
from datasets_app.finding_texts import how_to_mend, in_general
from datasets_app.models import Dataset, RunStatus
from datasets_app.services import checks

MARKS = {"error": "ERROR  ", "warning": "warning", "note": "note   "}


class Command(BaseCommand):
    help = (
        "Check a dataset before it costs money, and say what was found. "
        "Exit status 1 if providers would refuse it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="the dataset's name")
        add_team_argument(parser)

    def handle(self, *args: Any, dataset: str, team: str, **options: Any) -> None:
        found = find_dataset(find_team(team), dataset)
        run = checks.request_check(found)
        checks.run_check(run)
        run.refresh_from_db()
        if run.status == RunStatus.PENDING:
            raise CommandError("A worker is checking this dataset now. Try again soon.")
        if run.status != RunStatus.FINISHED:
            raise CommandError(f"The check did not finish: it is {run.status}.")
        report = checks.report_of(found)
        if report is not None:
            self.tell(found, report)
            sys.exit(1 if report.n_errors else 0)

    def tell(self, dataset: Dataset, report: checks.Report) -> None:
        run = report.run
        self.stdout.write(
            f"{dataset}: {run.n_rows} rows, {run.n_read} of them new or changed. "
            f"{report.n_errors} errors, {report.n_warnings} warnings, "
            f"{report.n_notes} notes."
        )
        for severity, codes in report.by_severity.items():
            for each in codes:
                self.stdout.write(
                    f"  {MARKS[severity]} {each.n:>7}  {in_general(each.code)} "
                    f"{how_to_mend(each.code)}"
                )
        self.stdout.write(f"  See {reverse('datasets:preflight', args=[dataset.pk])}")
