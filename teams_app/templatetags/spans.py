"""Spans of time as people say them: “2 min 14 s”, “in 3 min”, “8 s ago”."""

from datetime import datetime, timedelta

from django import template
from django.utils.timezone import now
from django.utils.translation import gettext as _

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400


@register.filter
def span(value: timedelta | None) -> str:
    """The two largest units; empty for None."""
    if value is None:
        return ""
    seconds = max(0, round(value.total_seconds()))
    if seconds < MINUTE:
        return _("%(s)d s") % {"s": seconds}
    if seconds < HOUR:
        return _("%(m)d min %(s)02d s") % {"m": seconds // 60, "s": seconds % 60}
    if seconds < DAY:
        minutes = seconds % HOUR // MINUTE
        return _("%(h)d h %(m)02d min") % {"h": seconds // HOUR, "m": minutes}
    hours = seconds % DAY // HOUR
    return _("%(d)d d %(h)d h") % {"d": seconds // DAY, "h": hours}


@register.filter
def due(moment: datetime | None) -> str:
    """How soon; what should have begun already is due now."""
    return from_now(max(moment, now())) if moment else ""


@register.filter
def from_now(moment: datetime | None) -> str:
    """How long ago, or how soon; empty for None."""
    if moment is None:
        return ""
    distance = moment - now()
    if distance > timedelta(seconds=1):
        return _("in %(span)s") % {"span": span(distance)}
    if distance > timedelta(seconds=-2):
        return _("now")
    return _("%(span)s ago") % {"span": span(-distance)}
