from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "jobs_app"
    verbose_name = _("Fine-tuning")

    def ready(self) -> None:
        from jobs_app import checks, new_teams  # noqa: F401  (registers them)
