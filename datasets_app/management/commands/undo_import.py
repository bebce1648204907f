from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from datasets_app.models import ImportRun
from datasets_app.services import bulk_edits
from datasets_app.services.import_undo import undo_import
from teams_app.team_command import TeamCommand


class Command(TeamCommand):
    help = "Take all rows of an import out of its dataset again, into the bin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("import_run", type=int, metavar="NUMBER")
        parser.add_argument(
            "--keep-changed",
            action="store_true",
            help="leave in the rows that somebody changed or mended since",
        )

    def handle(
        self, *args: Any, import_run: int, keep_changed: bool, **options: Any
    ) -> None:
        run = ImportRun.objects.filter(pk=import_run).first()
        if run is None:
            raise CommandError(f"There is no import {import_run}.")
        try:
            edit = undo_import(run, by=None, keep_changed=keep_changed)
        except bulk_edits.BadEdit as exc:
            raise CommandError(str(exc)) from exc
        bulk_edits.run_edit(edit)
        edit.refresh_from_db()
        self.stdout.write(f"{edit.n_changed} rows taken out of “{run.dataset}”.")
