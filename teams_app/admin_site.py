"""The admin, open to every member: what they see there depends on their roles."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams_app.access import has_role_anywhere
from teams_app.models import Role


class TeamAdminSite(admin.AdminSite):
    site_title = site_header = "finetune-site"
    index_title = gettext_lazy("Curation")
    site_url = "/"
    enable_nav_sidebar = False  # the width goes to the rows that are curated

    def has_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.VIEWER)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One sign-in page for portal and admin; axes guards that one."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(
                _(
                    "You are signed in as “%(user)s”, who is in no team yet. "
                    "An owner of a team can add you by that name."
                )
                % {"user": request.user.get_username()}
            )
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(wanted)
