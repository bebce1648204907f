"""The audit log for owners: a page by key, and all that fits the filters as CSV."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from teams_app.access import has_role_anywhere
from teams_app.audit_facts import facts_of
from teams_app.audit_forms import AuditForm
from teams_app.csv_cells import csv_line
from teams_app.models import AuditEntry, Membership, Role
from teams_app.rows import read_key

PER_PAGE = 50
AT_ONCE = 1000  # rows of the CSV that are read together
MOST_NAMES = 200
COLUMNS = ("id", "time", "team", "door", "who", "what", "object", "object_id", "name")


@require_safe
@login_required
def log(request: HttpRequest) -> HttpResponse:
    """The newest first; `?before=` a key goes on from there."""
    _require_owner(request)
    form = AuditForm(request.GET, user=request.user)
    entries = form.entries().select_related("team")
    if before := read_key(request.GET.get("before", "")):
        entries = entries.filter(pk__lt=before)
    found = list(entries[: PER_PAGE + 1])
    context = {
        "form": form,
        "lines": [(entry, facts_of(entry.details)) for entry in found[:PER_PAGE]],
        "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
        "is_later_page": bool(before),
        "is_filtered": any(form.cleaned_data.values()),
        "names": _names(request.user),
    }
    return render(request, "teams_app/audit.html", context)


@require_safe
@login_required
def csv(request: HttpRequest) -> StreamingHttpResponse:
    _require_owner(request)
    entries = AuditForm(request.GET, user=request.user).entries()
    response = StreamingHttpResponse(_lines(entries), content_type="text/csv")
    response["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _require_owner(request: HttpRequest) -> None:
    if not has_role_anywhere(request.user, Role.OWNER):
        raise PermissionDenied(
            _("The audit log is for owners. An owner of the team can make you one.")
        )


def _names(user: Any) -> list[str]:
    """Of the members, to choose from; whoever left can still be typed."""
    members = Membership.objects.visible_to(user, Role.OWNER)
    names = members.order_by("user__username").values_list("user__username", flat=True)
    return list(names.distinct()[:MOST_NAMES])


def _lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """A piece at a time, by key: neither a lock nor much memory is held meanwhile."""
    yield csv_line([*COLUMNS, "details"])
    entries, last = entries.select_related("team"), 0
    while found := list(entries.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield "".join(csv_line(_cells(entry)) for entry in found)
        last = found[-1].pk


def _cells(entry: AuditEntry) -> list[str]:
    return [
        str(entry.pk),
        entry.created_at.isoformat(),
        _team(entry),
        entry.door,
        entry.who,
        entry.verb,
        entry.thing,
        str(entry.thing_id or ""),
        entry.label,
        json.dumps(entry.details, ensure_ascii=False) if entry.details else "",
    ]


def _team(entry: AuditEntry) -> str:
    """Nothing where the team is gone, or where it is about no team."""
    return entry.team.name if entry.team else ""
