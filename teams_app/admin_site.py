"""The admin, open to every member: what they see there depends on their roles."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from teams_app.access import has_role_anywhere
from teams_app.models import Role


class TeamAdminSite(admin.AdminSite):
    site_title = site_header = "finetune-site"
    index_title = _("Curation")
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.VIEWER)
