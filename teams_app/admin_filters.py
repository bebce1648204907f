"""List filters that name no row of a team the user is not in."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import FieldListFilter, RelatedFieldListFilter
from django.db.models import Field
from django.http import HttpRequest


class TeamScopedRelatedFilter(RelatedFieldListFilter):
    """Django's own filter offers every row there is, whoever looks."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> Any:
        visible = field.remote_field.model.objects.visible_to(request.user)
        return field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": visible.values("pk")},
        )


def _leads_to_a_team(field: Field) -> bool:
    related = field.remote_field and field.remote_field.model
    return hasattr(related, "TEAM_PATH")


FieldListFilter.register(_leads_to_a_team, TeamScopedRelatedFilter, take_priority=True)
