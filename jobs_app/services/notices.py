"""The outbox's clock: who hears of what, what is due, what is given up.

The table is the queue: a delivery is claimed by moving its due time on, then tried. A
process that dies on the way leaves it due again, with the same message id.
"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from jobs_app.models import (
    Delivery,
    DeliveryState,
    Notice,
    NoticeChoice,
    NoticeKind,
    Webhook,
)
from teams_app.models import Membership, Role, User

AT_ONCE = 200  # notices and deliveries that one tick takes up
CLAIM_SECONDS = 120.0  # longer than any attempt takes
KEPT_DAYS = 90
MAY_DECIDE = Role.at_least(Role.LAUNCHER)


def spread_notices() -> int:
    """Make the deliveries of notices that have none yet. Returns how many notices."""
    waiting = Notice.objects.filter(spread_at=None).order_by("pk")
    notices = list(waiting.select_related("job")[:AT_ONCE])
    for notice in notices:
        _spread(notice)
    return len(notices)


def _spread(notice: Notice) -> None:
    """Of two ticks that overlap, one makes them."""
    with transaction.atomic():
        unspread = Notice.objects.filter(pk=notice.pk, spread_at=None)
        if not unspread.update(spread_at=now()):
            return
        by_mail = [Delivery(notice=notice, user=user) for user in _readers(notice)]
        posted = [Delivery(notice=notice, webhook=hook) for hook in _webhooks(notice)]
        Delivery.objects.bulk_create([*by_mail, *posted])


def _webhooks(notice: Notice) -> list[Webhook]:
    switched_on = Webhook.objects.filter(team=notice.team_id, problem="")
    return [hook for hook in switched_on if notice.kind in hook.kinds]


def _readers(notice: Notice) -> QuerySet[User] | list[User]:
    """Members who chose to hear of it and have an address, if this site sends mail."""
    if not settings.SENDS_EMAIL:
        return []
    members = Membership.objects.filter(team=notice.team_id)
    if notice.kind == NoticeKind.APPROVAL_NEEDED:
        members = members.filter(role__in=MAY_DECIDE).exclude(user=_asker(notice))
    choices = NoticeChoice.objects.filter(kind=notice.kind)
    readers = User.objects.filter(
        is_active=True,
        pk__in=members.values("user"),
        notice_choices__in=choices,
    )
    return readers.exclude(email="")


def _asker(notice: Notice) -> int | None:
    """Whoever asked cannot approve, and knows."""
    request = notice.job and notice.job.approvals.first()
    return request.requested_by_id if request else None


def claim_due_deliveries() -> list[int]:
    """Ids of deliveries that a worker should try now."""
    waiting = Delivery.objects.filter(state=DeliveryState.WAITING)
    due = waiting.filter(next_try_at__lte=now()).order_by("next_try_at")
    until = now() + timedelta(seconds=CLAIM_SECONDS)
    return [
        pk
        for pk, at in list(due.values_list("pk", "next_try_at")[:AT_ONCE])
        if waiting.filter(pk=pk, next_try_at=at).update(next_try_at=until)
    ]


def forget_old_notices() -> None:
    """What was told of long ago. Its key is free again, and can come no more."""
    long_ago = now() - timedelta(days=KEPT_DAYS)
    old = Notice.objects.filter(~Q(spread_at=None), created_at__lt=long_ago)
    Notice.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])
    ).delete()


def make_test(webhook: Webhook) -> Delivery:
    """A notice to this one receiver alone, to see whether it gets through."""
    return _test_notice(webhook.team_id, webhook=webhook)


def make_test_mail(user: User, team_id: int) -> Delivery:
    return _test_notice(team_id, user=user)


def _test_notice(team_id: int, **receiver: Any) -> Delivery:
    key = f"test {uuid4()}"
    with transaction.atomic():
        notice = Notice.objects.create(
            team_id=team_id, kind=NoticeKind.TEST, key=key, spread_at=now()
        )
        return Delivery.objects.create(notice=notice, **receiver)
