"""The audit log: who did what to what, and by which way in. Rows are only ever added;
the database itself refuses to change or delete them (see append_only.py)."""

from typing import Any

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from teams_app.models.people import Team, TeamScopedQuerySet


class Verb(models.TextChoices):
    CREATED = "created", pgettext_lazy("somebody", "created")
    CHANGED = "changed", pgettext_lazy("somebody", "changed")
    DELETED = "deleted", _("deleted")
    IMPORTED = "imported", _("imported into")
    EXPORTED = "exported", _("exported")
    EDITED = "edited", _("edited many rows of")
    ROW_ADDED = "row_added", _("added a row to")
    ROW_CHANGED = "row_changed", _("changed a row of")
    COMMENTED = "commented", _("commented on a row of")
    STOPPED = "stopped", _("stopped what was under way in")
    CONTINUED = "continued", _("let go on what had stopped in")
    PURGED = "purged", _("deleted rows for good from")
    FROZEN = "frozen", _("froze")
    DOWNLOADED = "downloaded", _("downloaded")
    KEY_CHANGED = "key_changed", _("changed the key of")
    REVOKED = "revoked", _("revoked")
    LAUNCHED = "launched", pgettext_lazy("somebody", "launched")
    ASKED = "asked", _("asked to launch")
    APPROVED = "approved", _("approved")
    DECLINED = "declined", _("declined")
    CANCELLED = "cancelled", _("cancelled")
    PAUSED = "paused", _("paused")
    RESUMED = "resumed", _("resumed")
    RETRIED = "retried", _("launched again")
    DECIDED = "decided", _("decided about")
    COMPARED = "compared", _("had the models compared of")
    CHECKED = "checked", _("had checked what it can do:")
    ADDED = "added", _("added")
    ROLE_CHANGED = "role_changed", _("changed the role of")
    REMOVED = "removed", _("removed")


class Thing(models.TextChoices):
    """What was acted on."""

    DATASET = "dataset", _("dataset")
    VERSION = "datasetversion", _("dataset version")
    BASE_MODEL = "basemodel", _("base model")
    TAG = "tag", _("tag")
    FILTER = "savedfilter", _("saved filter")
    PROVIDER = "provider", _("provider")
    PRICE = "price", _("price")
    JOB = "finetuningjob", _("fine-tuning job")
    WEBHOOK = "webhook", _("webhook")
    WEBHOOK_DOOR = "webhookdoor", _("webhook of a provider")
    TOKEN = "apitoken", _("API token")
    TEAM = "team", _("team")
    MEMBER = "membership", _("member")
    USER = "user", _("user")


class Door(models.TextChoices):
    """By which way in it was done."""

    PERSON = "person", _("on a page")
    TOKEN = "token", _("with an API token")
    COMMAND = "command", _("by a command")
    SYSTEM = "system", _("by the site itself")


class AuditEntry(models.Model):
    """One line of the log. Names are kept as text: it outlives what it tells of.

    So `team` is no constraint of the database, and a user is named, not referred to.
    """

    TEAM_PATH = "team"

    team = models.ForeignKey(
        Team,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("team"),
    )
    created_at = models.DateTimeField(_("time"), default=now, db_index=True)
    door = models.CharField(max_length=10, choices=Door)
    who = models.CharField(_("who"), max_length=200)
    verb = models.CharField(_("what"), max_length=20, choices=Verb)
    thing = models.CharField(_("object"), max_length=20, choices=Thing)
    thing_id = models.BigIntegerField(null=True)
    label = models.CharField(_("name"), max_length=300)
    # Few and short: what else one must know. No secret, no text of a row.
    details: Any = models.JSONField(_("details"), default=dict, blank=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the audit log")
        verbose_name_plural = _("audit log")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=("team", "-id"), name="audit_team"),
            models.Index(fields=("team", "who", "-id"), name="audit_who"),
            models.Index(fields=("team", "verb", "-id"), name="audit_verb"),
            models.Index(fields=("team", "thing", "-id"), name="audit_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.verb} {self.thing} {self.label}"
