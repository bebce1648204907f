"""Filters whose choices are of the user's teams only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from datasets_app import exact_json
from datasets_app.models import Dataset, Example, Tag
from datasets_app.problem_texts import in_general

VALID, INVALID = "none", "any"
ROWS_LOOKED_THROUGH = 1_000


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
    """Valid rows, rows with any problem, or with one of those that there are."""

    title = _("problem")
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        codes = [(code, in_general(code)) for code in _codes_seen(request)]
        return [(VALID, _("none: valid")), (INVALID, _("any problem")), *codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        if self.value() == VALID:
            return queryset.filter(is_valid=True)
        invalid = queryset.filter(is_valid=False)
        return invalid if self.value() == INVALID else _having(invalid, self.value())


def _codes_seen(request: HttpRequest) -> list[str]:
    """The problems of the user's rows, or of a thousand of them."""
    invalid = Example.objects.visible_to(request.user).filter(is_valid=False).order_by()
    lists = invalid.values_list("problems", flat=True)[:ROWS_LOOKED_THROUGH]
    return sorted({problem["code"] for problems in lists for problem in problems})


def _having(invalid: QuerySet, code: str | None) -> QuerySet:
    wanted = f'"code":{exact_json.dumps(code)}'
    as_text = Cast("problems", TextField())
    found = Example.objects.alias(as_text=as_text).filter(as_text__contains=wanted)
    return invalid.filter(pk__in=found.values("pk"))
