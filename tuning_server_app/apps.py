from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TuningServerConfig(AppConfig):
    name = "tuning_server_app"
    verbose_name = _("Tuning server")

    def ready(self) -> None:
        import_module("tuning_server_app.checks")  # it needs the models, loaded by now
