from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DatasetsConfig(AppConfig):
    name = "datasets_app"
    verbose_name = _("Datasets")

    def ready(self) -> None:
        import_module("datasets_app.file_cleanup")
        import_module("datasets_app.database.install").connect(self)
        import_module("datasets_app.lookups")
        import_module("datasets_app.new_teams")
