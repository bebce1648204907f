"""Endpoints that fine-tune, and what was uploaded to them."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets_app.models import DatasetVersion, Split
from jobs_app import kinds
from jobs_app.encryption import EncryptedTextField
from teams_app.models import Team, TeamScopedQuerySet


class Provider(models.Model):
    """An OpenAI-compatible endpoint and the key for it.

    The key is bound to the address it was entered for: whoever may edit the address
    could otherwise have it sent to a server of their own.
    """

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=kinds.choices,
        default=kinds.COMPATIBLE,
    )
    # No URLField: it refuses the names that servers have in a private network.
    base_url = models.CharField(_("base URL"), max_length=500)
    api_key = EncryptedTextField(_("API key"), blank=True)
    # The address that the key was entered for; it is sent to no other.
    key_base_url = models.CharField(max_length=500, blank=True, editable=False)
    api_version = models.CharField(_("API version"), max_length=40, blank=True)
    # More fields for the request that creates a job, over those of the kind.
    extra_body: Any = models.JSONField(_("extra fields"), default=dict, blank=True)
    # {ability: True or False}, as the last compatibility check found at this address.
    abilities: Any = models.JSONField(default=dict, blank=True, editable=False)
    checked_at = models.DateTimeField(_("checked"), null=True, editable=False)
    default_base_model = models.CharField(
        _("default base model"), max_length=100, blank=True
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "How often workers may ask at most. Empty: what is usual for this kind."
        ),
    )
    # Do its lists show the metadata that jobs were created with? Null: not seen yet.
    keeps_metadata = models.BooleanField(null=True, editable=False)
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

    def save(self, **kwargs: Any) -> None:
        """Store it; a key that was entered for another address is forgotten."""
        if self._state.adding and not self.key_base_url:
            self.key_base_url = self.base_url
        if not self.key_fits:
            self.api_key = ""
        super().save(**kwargs)

    @property
    def has_key(self) -> bool:
        """Without decrypting it."""
        return bool(self.__dict__.get("api_key"))

    @property
    def key_fits(self) -> bool:
        """Is the stored key the one for this very address?"""
        return self.key_base_url.rstrip("/") == self.base_url.rstrip("/")

    def enter_key(self, key: str) -> None:
        """Bind a key to the address as it stands now."""
        self.api_key, self.key_base_url = key, self.base_url


class RemoteFile(models.Model):
    """A version's file as one provider knows it; uploaded once, then reused.

    The row is there before the first byte leaves. Without an id it says who sends the
    file, and since when it may have arrived unheard.
    """

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE)
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT)
    split = models.CharField(max_length=10, choices=Split)
    remote_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    # The submission that sends it: a job, and since when it holds its claim.
    sender = models.ForeignKey(
        "FineTuningJob", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    sending_since = models.DateTimeField(null=True)
    # A file that is sent in parts: the provider's upload, which ends by itself.
    upload_id = models.CharField(max_length=200, blank=True)
    upload_expires_at = models.DateTimeField(null=True)

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


class RemotePart(models.Model):
    """A part of a file that arrived at the provider."""

    remote_file = models.ForeignKey(
        RemoteFile, on_delete=models.CASCADE, related_name="parts"
    )
    number = models.PositiveIntegerField()
    remote_id = models.CharField(max_length=200)

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(
                fields=("remote_file", "number"), name="one_part_of_each_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.remote_file} {self.number}"


class LeftoverReason(models.TextChoices):
    NOT_OURS_NOW = "not_ours_now", _("nothing here refers to it")
    UNUSED = "unused", _("no open job needs it")


class LeftoverFile(models.Model):
    """A file that we uploaded once, still lies at the provider, and nobody needs."""

    TEAM_PATH = "provider__team"

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, verbose_name=_("provider")
    )
    remote_id = models.CharField(_("id at the provider"), max_length=200)
    name = models.CharField(_("file name"), max_length=300)
    n_bytes = models.PositiveBigIntegerField(_("bytes"), null=True)
    uploaded_at = models.DateTimeField(_("uploaded"), null=True)
    reason = models.CharField(_("reason"), max_length=20, choices=LeftoverReason)
    seen_at = models.DateTimeField(_("last seen"))
    delete_requested_at = models.DateTimeField(null=True)
    problem = models.TextField(_("problem"), blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("leftover file")
        verbose_name_plural = _("leftover files")
        ordering = ("provider", "name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("provider", "remote_id"), name="leftover_file_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
