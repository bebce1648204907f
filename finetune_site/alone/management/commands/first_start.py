from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection

from finetune_site.static_files import collect_static
from tuning_server_app.models import ApiKey

A_TABLE_OF_THE_SITE = "teams_app_user"


class Command(BaseCommand):
    help = "Bring database and var/ to where the server can serve. Harmless to repeat."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        self.refuse_the_sites_database()
        self.fetch_base_models()
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        if not ApiKey.objects.exists():
            self.stdout.write(
                "\n  Nobody has a key yet:"
                "  ./manage.py tuning_key create NAME --organization ORGANIZATION\n"
            )

    def refuse_the_sites_database(self) -> None:
        """Its users are others: nobody could sign in to the admin."""
        if A_TABLE_OF_THE_SITE in connection.introspection.table_names():
            name = connection.settings_dict["NAME"]
            raise CommandError(
                f"The database {name} belongs to a whole site, and TUNING_SERVER_ONLY"
                " is set. Set FINETUNE_SITE_VAR or DATABASE_URL to another one, or"
                " take TUNING_SERVER_ONLY away to run the site."
            )

    def fetch_base_models(self) -> None:
        """Without the network the other models still serve."""
        try:
            call_command("fetch_base_models", stdout=self.stdout)
        except CommandError as error:
            self.stderr.write(str(error))
