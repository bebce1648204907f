"""Signing in, and the user's own page: teams, API tokens, password."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from teams_app import services
from teams_app.forms import TokenForm
from teams_app.models import ApiToken, Membership, User


class SignInView(auth_views.LoginView):
    def dispatch(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        """A page that polls must not swap this whole page into one of its parts.

        Its session has ended: reloaded, it is sent here and comes back afterwards.
        """
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRefresh()
        return super().dispatch(request, *args, **kwargs)


class PasswordView(auth_views.PasswordChangeView):
    template_name = "teams_app/password.html"
    success_url = reverse_lazy("account:tokens")

    def form_valid(self, form: object) -> HttpResponse:
        messages.success(self.request, _("Your password is changed."))
        return super().form_valid(form)  # type: ignore[arg-type]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """A new token is shown in the answer to its POST alone: it is stored nowhere."""
    user = cast(User, request.user)
    form = TokenForm(request.POST or None)
    new_token = None
    if form.is_valid():
        new_token = services.make_token(user=user, name=form.cleaned_data["name"])
        form = TokenForm()
    context = {
        "form": form,
        "new_token": new_token,
        "tokens": ApiToken.objects.filter(user=user),
        "memberships": Membership.objects.filter(user=user).select_related("team"),
    }
    return render(request, "teams_app/tokens.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=cast(User, request.user))
    services.revoke_token(token)
    messages.success(
        request, _("The token “%(name)s” no longer works.") % {"name": token.name}
    )
    return redirect("account:tokens")
