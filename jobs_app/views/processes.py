"""Who works in the background, and how the providers answer; and the pages' banner."""

from typing import Any

from django.db.models import Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from jobs_app import services
from jobs_app.models import ANSWERED, Provider
from jobs_app.views.access import signed_in


@require_safe
@signed_in
def processes(request: HttpRequest) -> HttpResponse:
    pulses = services.heartbeats()
    context: dict[str, Any] = {
        "is_in": True,
        "silent": [pulse for pulse in pulses if not pulse.is_alive],
    }
    template = "jobs_app/_silent.html"
    if not request.htmx:  # type: ignore[attr-defined]
        context |= {"pulses": pulses, "providers": _providers(request)}
        template = "jobs_app/processes.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _providers(request: HttpRequest) -> Any:
    answered = Q(requests__result__in=ANSWERED)
    return (
        Provider.objects.visible_to(request.user)
        .select_related("team")
        .annotate(
            n_requests=Sum("requests__n", default=0),
            n_unanswered=Sum("requests__n", filter=~answered, default=0),
            answered_at=Max("requests__last_at", filter=answered),
            unanswered_at=Max("requests__last_at", filter=~answered),
        )
    )
