"""Endpoints that fine-tune, and what was uploaded to them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.models import DatasetVersion, Split
from jobs_app.encryption import EncryptedTextField
from teams_app.models import Team, TeamScopedQuerySet


class ProviderKind(models.TextChoices):
    BUILT_IN = "built_in", _("built-in tuning server")
    OPENAI = "openai", _("OpenAI")
    AZURE = "azure", _("Azure OpenAI")
    COMPATIBLE = "compatible", _("other compatible server")


class Provider(models.Model):
    """An OpenAI-compatible endpoint and the key for it.

    The key is bound to `base_url`: services clear it when the address changes.
    """

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=ProviderKind,
        default=ProviderKind.COMPATIBLE,
    )
    # No URLField: it refuses the names that servers have in a private network.
    base_url = models.CharField(_("base URL"), max_length=500)
    api_key = EncryptedTextField(_("API key"), blank=True)
    default_base_model = models.CharField(
        _("default base model"), max_length=100, blank=True
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("team", "name"),
                name="provider_name_once_per_team",
                violation_error_message=_("The team already has a provider so named."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_key(self) -> bool:
        """Without decrypting it."""
        return bool(self.__dict__.get("api_key"))


class RemoteFile(models.Model):
    """A version's file as one provider knows it; uploaded once, then reused."""

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE)
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT)
    split = models.CharField(max_length=10, choices=Split)
    remote_id = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        constraints = [
            models.UniqueConstraint(
                fields=("provider", "dataset_version", "split"),
                name="one_upload_per_provider_and_file",
            )
        ]

    def __str__(self) -> str:
        return self.remote_id
