"""What owners and users set about notices; changes of a team's stand in the log."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guarded_calls.signing import new_secret
from jobs_app.models import NoticeChoice, Webhook
from teams_app import audit
from teams_app.models import Team, User, Verb

MOST_WEBHOOKS = 20


def add_webhook(webhook: Webhook, *, team: Team, by: User) -> str:
    """Its secret, which is shown this once. Raises ValidationError."""
    if team.webhooks.count() >= MOST_WEBHOOKS:
        raise ValidationError(
            _("The team has %(n)d webhooks. Remove one first.") % {"n": MOST_WEBHOOKS}
        )
    webhook.team, webhook.secret = team, new_secret()
    with transaction.atomic():
        webhook.save()
        audit.record(Verb.CREATED, webhook, by=by, place=webhook.place)
    return webhook.secret


def renew_secret(webhook: Webhook, *, by: User) -> str:
    webhook.secret = new_secret()
    with transaction.atomic():
        webhook.save(update_fields=["secret"])
        audit.record(Verb.KEY_CHANGED, webhook, by=by)
    return webhook.secret


def switch_on(webhook: Webhook, *, by: User) -> None:
    webhook.problem = ""
    with transaction.atomic():
        webhook.save(update_fields=["problem"])
        audit.record(Verb.RESUMED, webhook, by=by)


def remove_webhook(webhook: Webhook, *, by: User) -> None:
    with transaction.atomic():
        audit.record(Verb.DELETED, webhook, by=by)
        webhook.delete()


def choose_notices(user: User, kinds: Any) -> None:
    with transaction.atomic():
        user.save(update_fields=["email", "language"])
        NoticeChoice.objects.filter(user=user).delete()
        NoticeChoice.objects.bulk_create(
            NoticeChoice(user=user, kind=kind) for kind in kinds
        )
