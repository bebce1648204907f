"""The outbox: what people and other systems should hear of, stored with what happened.

A Notice is written in the transaction of the event it tells of. A tick makes a Delivery
of it for everyone who wants to hear, and each delivery is tried until it gets through.
"""

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from jobs_app.encryption import EncryptedTextField
from teams_app.models import Team, TeamScopedQuerySet

USER = settings.AUTH_USER_MODEL
SHOWN_OF_URL = 4


class NoticeKind(models.TextChoices):
    APPROVAL_NEEDED = "approval_needed", _("a launch waits for approval")
    APPROVED = "approved", _("a launch was approved")
    DECLINED = "declined", _("a launch was declined")
    FINISHED = "finished", _("a job finished")
    FAILED = "failed", _("a job failed")
    UNSURE = "unsure", _("a job needs a decision")
    STALLED = "stalled", _("a job makes no progress")
    SHUTDOWN = "shutdown", _("a model is about to be shut down")
    TEST = "test", _("a test")


TOLD = [kind for kind in NoticeKind if kind != NoticeKind.TEST]
TOLD_CHOICES = [(kind.value, kind.label) for kind in TOLD]


class Notice(models.Model):
    """One thing to tell of. `key` makes it the only one of that thing."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20, choices=NoticeKind)
    key = models.CharField(max_length=200, unique=True)
    job = models.ForeignKey(
        "jobs_app.FineTuningJob", null=True, on_delete=models.CASCADE, related_name="+"
    )
    data: Any = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=now)
    spread_at = models.DateTimeField(null=True)  # when its deliveries were made

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-pk",)
        indexes = [
            models.Index(
                fields=("id",), condition=Q(spread_at=None), name="notice_unspread"
            )
        ]

    def __str__(self) -> str:
        return self.key


class Webhook(models.Model):
    """An address that gets a team's notices, signed with a secret only it knows."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(_("name"), max_length=100)
    # Whoever knows the address of a chat's webhook may write there: it is a secret too.
    url = EncryptedTextField(_("address"))
    secret = EncryptedTextField()
    is_slack = models.BooleanField(
        _("Slack's form"),
        default=False,
        help_text=_("The body is one text, as Slack and its like take it."),
    )
    kinds: Any = models.JSONField(default=list)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default="en"
    )
    # Why it was switched off; empty while it is on.
    problem = models.TextField(blank=True, validators=[MaxLengthValidator(500)])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """Enough of the address to know it again: the host, and how it ends."""
        parts = urlsplit(self.url)
        rest = self.url.removeprefix(f"{parts.scheme}://{parts.netloc}").lstrip("/")
        end = rest[-SHOWN_OF_URL:] if len(rest) > 2 * SHOWN_OF_URL else ""
        return f"{parts.scheme}://{parts.netloc}/…{end}"


class NoticeChoice(models.Model):
    """A user wants an e-mail about this kind of thing."""

    user = models.ForeignKey(
        USER, on_delete=models.CASCADE, related_name="notice_choices"
    )
    kind = models.CharField(max_length=20, choices=TOLD_CHOICES)

    class Meta:
        verbose_name = _("choice of e-mails")
        verbose_name_plural = _("choices of e-mails")
        constraints = [
            models.UniqueConstraint(fields=("user", "kind"), name="notice_choice_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    GIVEN_UP = "given_up", _("given up")


class Delivery(models.Model):
    """A notice on its way to one user, by e-mail, or to one webhook."""

    TEAM_PATH = "notice__team"

    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="deliveries"
    )
    user = models.ForeignKey(
        USER, null=True, on_delete=models.CASCADE, related_name="+"
    )
    webhook = models.ForeignKey(
        Webhook, null=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    # The same at every attempt: whoever gets it twice can tell.
    message_id = models.UUIDField(default=uuid.uuid4, unique=True)
    state = models.CharField(
        max_length=10, choices=DeliveryState, default=DeliveryState.WAITING
    )
    created_at = models.DateTimeField(default=now)
    # When it should next be tried; a worker that tries moves it on first.
    next_try_at = models.DateTimeField(default=now)
    n_attempts = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("notice", "user"),
                condition=Q(webhook=None),
                name="one_email_per_notice",
            ),
            models.UniqueConstraint(
                fields=("notice", "webhook"),
                condition=Q(user=None),
                name="one_post_per_notice",
            ),
        ]
        indexes = [
            models.Index(
                fields=("next_try_at",),
                condition=Q(state=DeliveryState.WAITING),
                name="delivery_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice} → {self.user or self.webhook}"
