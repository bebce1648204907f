from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command

from finetune_site import first_start
from finetune_site.static_files import collect_static
from teams_app.team_command import TeamCommand
from tuning_server_app.services.tokenizers import begin_saving_tokenizers


class Command(TeamCommand):
    help = "Bring database and var/ to where the site can serve. Harmless to repeat."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-sample", action="store_true", help="do not load the sample dataset"
        )

    def handle(self, *args: Any, no_sample: bool, **options: Any) -> None:
        # Counting the sample's tokens needs these; meanwhile the rest is made.
        saving = []
        if settings.TUNING_SERVER:
            self.fetch_base_models()
            saving = begin_saving_tokenizers(settings.TOKENIZERS_DIR)
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        password = first_start.make_first_admin()
        first_start.make_ticks()
        first_start.make_base_models_and_prices()
        if settings.TUNING_SERVER:
            first_start.make_built_in_providers()
        for process in saving:
            process.wait()
        if not no_sample:
            self.load_sample()
        if password:
            self.stdout.write(
                f"\n  Sign in as  admin  with the password  {password}\n"
                f"  (shown once; kept in {settings.VAR_DIR / 'admin-password'})\n"
            )

    def fetch_base_models(self) -> None:
        """Without the network the other models still serve."""
        try:
            call_command("fetch_base_models", stdout=self.stdout)
        except CommandError as error:
            self.stderr.write(str(error))

    def load_sample(self) -> None:
        version = first_start.load_sample()
        if version is None:
            return
        self.stdout.write(f"  Loaded the sample dataset: {version}")
        if settings.TUNING_SERVER:
            job = first_start.launch_sample(version)
            self.stdout.write(f"  Launched its fine-tuning job: {job}")
