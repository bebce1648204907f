"""./manage.py fetch_base_models: what the settings name of the hub, to this machine."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tuning_server_app.services import hub


class Command(BaseCommand):
    help = "Download the base models that the settings name by hub:OWNER/NAME."

    def handle(self, *args: Any, **options: Any) -> None:
        for name in hub.missing_downloads():
            self.stdout.write(_("Downloading %(name)s …") % {"name": name})
            if not hub.download(name):
                raise CommandError(
                    _(
                        "%(name)s could not be downloaded; the reason stands above."
                        " Look at TUNING_SERVER_BASE_MODELS, at the network, and at"
                        " HF_TOKEN if the model is behind a gate."
                    )
                    % {"name": name}
                )
