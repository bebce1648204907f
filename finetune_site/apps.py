from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "finetune_site"

    def ready(self) -> None:
        from finetune_site import (
            checks,  # noqa: F401
            pulses,  # noqa: F401  (listens to Celery's signals)
        )
