"""What the training would cost that somebody is about to launch."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from datasets_app.tasks import count_version
from jobs_app import services
from jobs_app.forms import EstimateForm
from jobs_app.services.launch_rules import judge
from jobs_app.services.model_ends import shutdown_of
from jobs_app.views.access import signed_in
from teams_app.access import has_role
from teams_app.models import Role


@require_safe
@signed_in
def estimate(request: HttpRequest) -> HttpResponse:
    """For what stands in the form now; it asks again while tokens are counted."""
    form = EstimateForm(request.GET, user=request.user)
    if not form.is_valid():
        return render(request, "jobs_app/_estimate.html", {"estimate": None})
    found = services.estimate(**form.arguments())
    if found.tokens.is_open:
        count_version.delay_on_commit(found.tokens.pk)
    may_price = has_role(request.user, found.provider, Role.OWNER)
    context = {**estimate_context(found), "may_price": may_price}
    return render(request, "jobs_app/_estimate.html", context)


def ruling_context(found: services.Estimate) -> dict[str, Any]:
    """What the team's rules say of it; nothing for a team that has none."""
    team, version = found.provider.team, found.tokens.version
    ruling = judge(team, found, version)
    return {"ruling": ruling, "team": team, "spending": ruling.spending}


def estimate_context(found: services.Estimate) -> dict[str, Any]:
    query = {
        "team": found.provider.team_id,
        "provider_kind": found.provider.kind,
        "base_model": found.base_model,
    }
    return {
        "estimate": found,
        "shutdown": shutdown_of(found.provider, found.base_model),
        **ruling_context(found),
        "add_price": f"{reverse('admin:jobs_app_price_add')}?{urlencode(query)}",
    }
