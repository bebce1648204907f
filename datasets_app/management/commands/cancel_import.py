from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from datasets_app import services
from datasets_app.models import ImportRun


class Command(BaseCommand):
    help = "Stop an import; the rows it has added stay until `undo_import`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("import_run", type=int, metavar="NUMBER")

    def handle(self, *args: Any, import_run: int, **options: Any) -> None:
        run = ImportRun.objects.filter(pk=import_run).first()
        if run is None:
            raise CommandError(f"There is no import {import_run}.")
        if not services.cancel_import(run):
            raise CommandError(f"Import {import_run} had ended already.")
        run.refresh_from_db()
        self.stdout.write(f"Cancelled; {run.n_added} rows were added.")
