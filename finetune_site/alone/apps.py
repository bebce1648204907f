from django.apps import AppConfig


class AloneConfig(AppConfig):
    name = "finetune_site.alone"

    def ready(self) -> None:
        from finetune_site import checks  # noqa: F401
