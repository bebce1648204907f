"""Admin classes that show and change rows only as far as the user's role reaches.

Django's own model permissions are not asked: roles are the only rights there are.
"""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from teams_app import audit
from teams_app.access import has_role, has_role_anywhere
from teams_app.models import Role, Verb


class TeamScopedMixin:
    """Roles instead of permissions, and rows of the user's own teams only."""

    view_role = Role.VIEWER
    add_role = Role.CURATOR
    change_role = Role.CURATOR
    delete_role = Role.OWNER

    def _may(self, request: HttpRequest, role: Role, obj: Model | None) -> bool:
        if obj is None or obj.pk is None:
            return has_role_anywhere(request.user, role)
        return has_role(request.user, obj, role)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, self.view_role)

    def has_view_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._may(request, self.view_role, obj)

    def has_add_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._may(request, self.add_role, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._may(request, self.change_role, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return self._may(request, self.delete_role, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)  # type: ignore[misc]
        return rows.visible_to(request.user, self.view_role)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        self._narrow(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> Any:
        self._narrow(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def _narrow(
        self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]
    ) -> None:
        """Offer, and so accept, only rows of teams where the user may add."""
        related = db_field.remote_field.model
        if hasattr(related, "TEAM_PATH") and "queryset" not in kwargs:
            kwargs["queryset"] = related.objects.visible_to(request.user, self.add_role)


class AuditedMixin:
    """Notes in the audit log what is made, changed and deleted here.

    These methods are Django's own, called wherever its admin writes a row.
    """

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.record(Verb.CREATED, obj, by=request.user)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if fields := changed_fields(message):
            audit.record(Verb.CHANGED, obj, by=request.user, fields=fields)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            audit.record(Verb.DELETED, row, by=request.user)
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def changed_fields(message: Any) -> list[str]:
    """Their names; of the row itself, not of those that stand under it."""
    changes = [part.get("changed", {}) for part in message if isinstance(part, dict)]
    of_row = [each for each in changes if "fields" in each and "object" not in each]
    return [str(field) for each in of_row for field in each["fields"]]


class TeamScopedAdmin(TeamScopedMixin, admin.ModelAdmin):
    pass


class LabelledFormSet(BaseInlineFormSet):
    """Rows of a table have no labels; those who hear the page get the column's name."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.widget.attrs.setdefault("aria-label", field.label)


class TeamScopedTabularInline(TeamScopedMixin, admin.TabularInline):
    formset = LabelledFormSet
