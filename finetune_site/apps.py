from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "finetune_site"

    def ready(self) -> None:
        from finetune_site import checks  # noqa: F401
