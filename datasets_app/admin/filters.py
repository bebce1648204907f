"""Filters whose choices are of the user's teams only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from datasets_app.models import Dataset


class DatasetFilter(admin.SimpleListFilter):
    title = _("dataset")
    parameter_name = "dataset"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        datasets = Dataset.objects.visible_to(request.user).order_by("name", "pk")
        return [(str(dataset.pk), dataset.name) for dataset in datasets]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        if chosen not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(dataset=chosen)
