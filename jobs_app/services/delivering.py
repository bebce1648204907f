"""Delivering one notice, by e-mail or to a webhook: tried again and again for a day."""

import json
import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import override

from guarded_calls.sealing import UnreadableSecret
from guarded_calls.signing import Message
from jobs_app.links import full_address
from jobs_app.models import Delivery, DeliveryState, Webhook
from jobs_app.notice_texts import data_of, one_line, text_of
from jobs_app.providers.webhooks import NotDelivered, send
from teams_app.access import has_role
from teams_app.models import Role, User

log = logging.getLogger(__name__)

TRY_AGAIN_SECONDS = (10, 30, 60, 300, 900, 1800, 3600)
GIVEN_UP_AFTER = timedelta(days=1)


def deliver(delivery: Delivery) -> None:
    """Try once; the row knows how it ended. Harmless for one that is done already.

    It is at least once: a process killed after sending and before noting it sends
    again, with the same message id.
    """
    if delivery.state != DeliveryState.WAITING:
        return
    try:
        if delivery.webhook is not None:
            _post(delivery, delivery.webhook)
        elif delivery.user is not None:
            _mail(delivery, delivery.user)
    except NotDelivered as exc:
        _note_failure(delivery, exc)
    else:
        sent = {"state": DeliveryState.SENT, "sent_at": now(), "problem": ""}
        _update(delivery, n_attempts=delivery.n_attempts + 1, **sent)


def _post(delivery: Delivery, webhook: Webhook) -> None:
    if webhook.problem:
        raise NotDelivered(_("The webhook is switched off."), is_gone=True)
    message = Message(
        id=f"msg_{delivery.message_id.hex}",
        sent_at=int(now().timestamp()),
        body=json.dumps(_body(delivery, webhook), ensure_ascii=False).encode(),
    )
    try:
        send(webhook.url, webhook.secret, message)
    except UnreadableSecret as exc:
        raise NotDelivered(str(exc)) from exc


def _body(delivery: Delivery, webhook: Webhook) -> dict[str, object]:
    notice = delivery.notice
    if webhook.is_slack:
        text = text_of(notice, webhook.language)
        lines = [f"*{_slack(text.title)}*", *(_slack(each) for each in text.lines)]
        return {"text": "\n".join([*lines, text.link])}
    return {
        "type": f"finetune_site.{notice.kind}",
        "timestamp": notice.created_at.isoformat(),
        "data": data_of(notice),
    }


def _slack(text: str) -> str:
    """A name may hold what Slack takes for a mention of everybody, or for a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mail(delivery: Delivery, user: User) -> None:
    if not user.is_active or not user.email:
        raise NotDelivered(_("The user has no address any more."), is_gone=True)
    if not has_role(user, delivery.notice.team, Role.VIEWER):
        raise NotDelivered(_("The user left the team."), is_gone=True)
    text = text_of(delivery.notice, user.language)
    with override(user.language):
        why = _("You chose to get these e-mails. Change that here: %(url)s") % {
            "url": full_address(reverse("notifications:mine"))
        }
    mail = EmailMessage(
        subject=f"[{one_line(str(delivery.notice.team))}] {text.title}",
        body="\n\n".join(["\n".join([text.title, *text.lines]), text.link, why]),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[user.email],
        headers={"Message-ID": f"<{delivery.message_id}@finetune-site>"},
    )
    try:
        mail.send()
    except (SMTPException, OSError) as exc:
        log.warning(
            "e-mail %s was not sent: %s", delivery.message_id, type(exc).__name__
        )
        raise NotDelivered(_("The mail server did not take it.")) from exc


def _note_failure(delivery: Delivery, exc: NotDelivered) -> None:
    n_attempts = delivery.n_attempts + 1
    wait = TRY_AGAIN_SECONDS[min(n_attempts, len(TRY_AGAIN_SECONDS)) - 1]
    again_at = now() + timedelta(seconds=wait)
    is_late = again_at > delivery.created_at + GIVEN_UP_AFTER
    is_over = is_late or exc.is_gone
    _update(
        delivery,
        n_attempts=n_attempts,
        problem=str(exc),
        next_try_at=again_at,
        state=DeliveryState.GIVEN_UP if is_over else DeliveryState.WAITING,
    )
    if exc.is_gone and delivery.webhook is not None and not delivery.webhook.problem:
        delivery.webhook.problem = str(exc)
        delivery.webhook.save(update_fields=["problem"])


def _update(delivery: Delivery, **fields: object) -> None:
    """Unless another worker noted an end meanwhile."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING)
    waiting.update(**fields)
    delivery.refresh_from_db()
