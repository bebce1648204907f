"""What the page of one example lets people do beside editing it: decide, give, say."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from datasets_app import services
from datasets_app.models import Example
from datasets_app.times import read_time
from datasets_app.views.access import get_row
from teams_app.models import Role
from teams_app.rows import read_key

_EXAMPLES = Example.objects.select_related("dataset__team")


def _back(example: Example) -> HttpResponse:
    return redirect("admin:datasets_app_example_change", example.pk)


def _try(request: HttpRequest, act: Any, done: str) -> None:
    try:
        act()
    except services.DatasetsError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)


@require_POST
@login_required
def example_decide(request: HttpRequest, pk: int) -> HttpResponse:
    example = get_row(request, _EXAMPLES, pk, Role.CURATOR)
    state, reason = request.POST.get("state", ""), request.POST.get("reason", "")
    seen = read_time(request.POST.get("seen", ""))
    _try(
        request,
        lambda: services.decide(
            example, state=state, by=request.user, reason=reason, seen=seen
        ),
        _("The review state was changed."),
    )
    return _back(example)


@require_POST
@login_required
def example_assign(request: HttpRequest, pk: int) -> HttpResponse:
    example = get_row(request, _EXAMPLES, pk, Role.CURATOR)
    key = read_key(request.POST.get("assignee", ""))
    members = example.dataset.team.members
    to = members.filter(pk=key).first()
    done = (
        _("The row is given to %(name)s.") % {"name": to}
        if to
        else _("The row is given to nobody.")
    )
    _try(request, lambda: services.assign(example, to=to, by=request.user), done)
    return _back(example)


@require_POST
@login_required
def example_comment(request: HttpRequest, pk: int) -> HttpResponse:
    example = get_row(request, _EXAMPLES, pk, Role.CURATOR)
    text = request.POST.get("text", "")
    _try(
        request,
        lambda: services.comment_on(example, text=text, by=request.user),
        _("The comment was added."),
    )
    return _back(example)
