from typing import Any

from django.core.management.base import BaseCommand

from datasets_app import services


class Command(BaseCommand):
    help = (
        "Builds the search index anew, which also gives back the room that texts long "
        "gone still take in it. While it works, searches may miss rows, and say so."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        services.reindex()
        while n_learnt := services.index_texts():
            self.stdout.write(f"{n_learnt:,} texts put into the index.")
