from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TeamsConfig(AppConfig):
    name = "teams_app"
    verbose_name = _("Teams")

    def ready(self) -> None:
        import_module("teams_app.append_only").connect(self)
