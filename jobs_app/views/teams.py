"""A team's own page: its money and rules, its webhooks, its members."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from jobs_app import tasks
from jobs_app.models import Delivery, DeliveryState, Webhook
from jobs_app.services import notices, teams
from jobs_app.services.spending import spending_of
from jobs_app.team_forms import RulesForm, WebhookForm
from jobs_app.views.access import signed_in, user_of
from teams_app.access import has_role
from teams_app.models import Membership, Role, Team, User
from teams_app.rows import get_row
from teams_app.services import save_team

N_DELIVERIES = 20
N_MEMBERS = 200


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def team_detail(request: HttpRequest, pk: int) -> HttpResponse:
    team = _team(request, pk, Role.VIEWER if request.method != "POST" else Role.OWNER)
    form = RulesForm(request.POST or None, instance=team)
    if form.is_valid():
        save_team(form.instance, by=request.user)
        messages.success(request, _("The rules are stored."))
        return redirect("teams:detail", pk)
    return _page(request, team, form=form)


@never_cache
@require_POST
@signed_in
def webhook_add(request: HttpRequest, pk: int) -> HttpResponse:
    """The secret is shown in the answer to this POST alone."""
    team = _team(request, pk, Role.OWNER)
    form = WebhookForm(request.POST)
    if form.is_valid():
        webhook = form.save(commit=False)
        webhook.kinds = form.cleaned_data["kinds"]
        try:
            secret = teams.add_webhook(webhook, team=team, by=user_of(request))
        except ValidationError as exc:
            form.add_error(None, exc)
        else:
            return _page(request, team, new_secret=secret)
    return _page(request, team, webhook_form=form)


@never_cache
@require_POST
@signed_in
def webhook_act(request: HttpRequest, pk: int) -> HttpResponse:
    """One of: test, renew (the secret), on, remove."""
    webhooks = Webhook.objects.select_related("team")
    webhook = get_row(request, webhooks, pk, Role.OWNER)
    act, user = request.POST.get("act"), user_of(request)
    if act == "renew":
        secret = teams.renew_secret(webhook, by=user)
        return _page(request, webhook.team, new_secret=secret)
    if act == "test":
        delivery = notices.make_test(webhook)
        tasks.deliver_notice.delay_on_commit(delivery.pk)
        text = _("A test is on its way. How it went stands below in a moment.")
        messages.info(request, text)
    elif act == "on":
        teams.switch_on(webhook, by=user)
    elif act == "remove":
        teams.remove_webhook(webhook, by=user)
    return redirect("teams:detail", webhook.team_id)


def _team(request: HttpRequest, pk: int, role: Role) -> Team:
    team: Team = get_row(request, Team.objects.all(), pk, role)
    return team


def _page(request: HttpRequest, team: Team, **given: Any) -> HttpResponse:
    is_owner = has_role(request.user, team, Role.OWNER)
    members = Membership.objects.filter(team=team).select_related("user")
    context = {
        "team": team,
        "is_owner": is_owner,
        "spending": spending_of(team),
        "members": members.order_by("user__username")[:N_MEMBERS],
        "is_second_missing": _is_second_missing(team),
        "form": RulesForm(instance=team),
        "webhook_form": WebhookForm(),
        **(_webhooks(team) if is_owner else {}),
        **given,
    }
    return render(request, "jobs_app/team.html", context)


def _is_second_missing(team: Team) -> bool:
    """Launches of the only person who may decide about them would wait for nobody."""
    rules = (
        team.approve_always,
        team.approve_above_limit,
        team.approve_unapproved_rows,
    )
    launchers = Membership.objects.filter(
        team=team, role__in=Role.at_least(Role.LAUNCHER)
    )
    deciders = User.objects.filter(
        Q(is_superuser=True) | Q(pk__in=launchers.values("user")), is_active=True
    )
    return any(rules) and len(deciders[:2]) < 2


def _webhooks(team: Team) -> dict[str, Any]:
    """Also what could not be delivered, e-mails among it, and why."""
    deliveries = Delivery.objects.filter(notice__team=team)
    related = ("notice__job", "user", "webhook")
    troubled = deliveries.exclude(problem="", state=DeliveryState.WAITING)
    newest = deliveries.filter(webhook__isnull=False) | troubled.exclude(
        state=DeliveryState.SENT
    )
    return {
        "webhooks": list(team.webhooks.all()),
        "deliveries": newest.select_related(*related).order_by("-pk")[:N_DELIVERIES],
    }
