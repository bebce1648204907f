"""Who may call: organizations and their keys."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Organization(models.Model):
    """Whoever owns files, jobs and models here; no other organization sees them."""

    slug = models.SlugField(_("short name"), max_length=50, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class ApiKey(models.Model):
    """A bearer key. Only its hash is kept: the key itself is shown once."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, verbose_name=_("organization")
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=12)
    key_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "name"),
                condition=models.Q(revoked_at=None),
                name="one_valid_key_per_name",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
