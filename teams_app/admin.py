from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from teams_app.access import has_role
from teams_app.models import Membership, Role, Team, User
from teams_app.scoped_admin import TeamScopedAdmin, TeamScopedTabularInline

admin.site.register(User, UserAdmin)


class MembershipInline(TeamScopedTabularInline):
    model = Membership
    extra = 1
    add_role = change_role = delete_role = Role.OWNER


@admin.register(Team)
class TeamAdmin(TeamScopedAdmin):
    """Owners manage the members of their team; only a superuser makes new teams."""

    list_display = ("name", "slug", "created_at")
    prepopulated_fields = {"slug": ("name",)}
    inlines = [MembershipInline]
    change_role = Role.OWNER

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not has_role(request.user, obj, Role.OWNER):
            return {}
        return super().get_prepopulated_fields(request, obj)
