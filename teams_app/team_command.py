"""A management command whose acts the audit log ascribes to it."""

from typing import Any

from django.core.management.base import BaseCommand

from teams_app.audit import as_command


class TeamCommand(BaseCommand):
    def execute(self, *args: Any, **options: Any) -> str | None:
        with as_command(type(self).__module__.rpartition(".")[2]):
            return super().execute(*args, **options)
