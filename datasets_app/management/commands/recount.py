from typing import Any

from django.core.management.base import BaseCommand

from datasets_app import services


class Command(BaseCommand):
    help = (
        "Counts the examples of every dataset anew. Triggers keep the counts right, so "
        "this is only for a database that was changed while they were off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        services.recount()
        self.stdout.write("Counted all examples anew.")
