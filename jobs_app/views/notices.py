"""What a user wants to hear of by e-mail."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jobs_app import tasks
from jobs_app.models import Delivery
from jobs_app.services import notices, teams
from jobs_app.team_forms import NoticesForm
from jobs_app.views.access import signed_in, user_of
from teams_app.models import Team

N_DELIVERIES = 10


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mine(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = NoticesForm(request.POST or None, instance=user)
    if form.is_valid():
        teams.choose_notices(user, form.cleaned_data["kinds"])
        messages.success(request, _("Your choice is stored."))
        return redirect("notifications:mine")
    sent = Delivery.objects.filter(user=user).select_related("notice__job")
    context = {
        "form": form,
        "sends_email": settings.SENDS_EMAIL,
        "deliveries": sent.order_by("-pk")[:N_DELIVERIES],
        "has_team": Team.objects.visible_to(user).exists(),
    }
    return render(request, "jobs_app/notifications.html", context)


@require_POST
@signed_in
def test_mail(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    team = Team.objects.visible_to(user).first()
    if team is not None and user.email:
        delivery = notices.make_test_mail(user, team.pk)
        tasks.deliver_notice.delay_on_commit(delivery.pk)
        text = _("A test is on its way. How it went stands below in a moment.")
        messages.info(request, text)
    return redirect("notifications:mine")
