"""Filters whose choices are of the user's teams only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from datasets_app.models import Dataset, Tag
from datasets_app.problem_texts import TEXTS, short_name

VALID, INVALID = "none", "any"


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


class TagFilter(admin.SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        tags = Tag.objects.visible_to(request.user)
        return [(name, name) for name in tags.values_list("name", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        tagged = Tag.objects.visible_to(request.user).filter(name=self.value())
        links = queryset.model.tags.through.objects.filter(tag__in=tagged)
        return queryset.filter(pk__in=links.values("example"))


class ProblemFilter(admin.SimpleListFilter):
    title = _("problem")
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        codes = [(code, short_name(code)) for code in TEXTS]
        return [(VALID, _("none: valid")), (INVALID, _("any problem")), *codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == VALID:
            return queryset.filter(is_valid=True)
        if self.value() == INVALID:
            return queryset.filter(is_valid=False)
        if self.value() in TEXTS:
            return queryset.filter(is_valid=False).filter(
                pk__in=queryset.model.objects.alias(
                    problems_text=Cast("problems", TextField())
                )
                .filter(problems_text__contains=f'"code":"{self.value()}"')
                .values("pk")
            )
        return queryset
