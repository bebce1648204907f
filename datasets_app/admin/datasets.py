from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets_app import services, tasks
from datasets_app.forms import FreezeForm
from datasets_app.models import BaseModel, Dataset, Tag
from teams_app.access import has_role, require_role
from teams_app.models import Role
from teams_app.scoped_admin import AuditedMixin, TeamScopedAdmin


@admin.register(Dataset)
class DatasetAdmin(AuditedMixin, TeamScopedAdmin):
    """Datasets, and the pages that import into one and freeze it."""

    change_form_template = "admin/datasets_app/dataset/change_form.html"
    list_display = (
        "name",
        "team",
        "n_examples",
        "n_draft",
        "n_approved",
        "n_rejected",
        "n_invalid",
        "created_at",
    )
    list_select_related = ("team",)
    search_fields = ("name", "description")
    show_full_result_count = False
    counts = ("n_examples", "n_draft", "n_approved", "n_rejected", "n_invalid")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        return services.with_counts(super().get_queryset(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("team", "name", "description", "base_model")
        return (*fields, *self.counts, "created_at", "created_by") if obj else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = (*self.counts, "created_at", "created_by")
        return ("team", *shown) if obj else shown

    def save_model(
        self, request: HttpRequest, obj: Dataset, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
        if run := services.begin_count(obj, by=request.user):
            tasks.run_count.delay_on_commit(run.pk)

    def get_form(
        self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """A base model of the dataset's own team; others have the same names."""
        form: Any = super().get_form(request, obj, *args, **kwargs)
        if obj and (field := form.base_fields.get("base_model")):
            field.queryset = BaseModel.objects.filter(team=obj.team_id)
        return form

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if obj := kwargs.get("obj"):
            context["may_import"] = has_role(request.user, obj, Role.CURATOR)
            context["may_freeze"] = has_role(request.user, obj, Role.REVIEWER)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        name = "datasets_app_dataset"
        return [
            path("<int:pk>/freeze/", view(self.freeze_view), name=f"{name}_freeze"),
            *super().get_urls(),
        ]

    def freeze_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = self._dataset(request, pk, Role.REVIEWER)
        form = FreezeForm.of(request, dataset)
        if request.method == "POST" and form.is_valid():
            run = services.start_freeze(
                dataset=dataset, by=request.user, **form.cleaned_data
            )
            tasks.run_freeze.delay_on_commit(run.pk)
            return redirect("datasets:freeze_run", run.pk)
        return self._form_page(request, dataset, form, gettext("Freeze"))

    def _dataset(self, request: HttpRequest, pk: int, role: Role) -> Dataset:
        dataset = get_object_or_404(self.get_queryset(request), pk=pk)
        require_role(request.user, dataset, role)
        return dataset

    def _form_page(
        self, request: HttpRequest, dataset: Dataset, form: BaseForm, title: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": dataset.name,
            "opts": Dataset._meta,
            "original": dataset,
            "form": form,
        }
        return TemplateResponse(
            request, "admin/datasets_app/dataset/form_page.html", context
        )

    @admin.display(description=_("examples"), ordering="n_examples")
    def n_examples(self, obj: Any) -> int:
        return obj.n_examples

    @admin.display(description=_("draft"), ordering="n_draft")
    def n_draft(self, obj: Any) -> int:
        return obj.n_draft

    @admin.display(description=_("approved"), ordering="n_approved")
    def n_approved(self, obj: Any) -> int:
        return obj.n_approved

    @admin.display(description=_("rejected"), ordering="n_rejected")
    def n_rejected(self, obj: Any) -> int:
        return obj.n_rejected

    @admin.display(description=_("with problems"), ordering="n_invalid")
    def n_invalid(self, obj: Any) -> int:
        return obj.n_invalid


@admin.register(Tag)
class TagAdmin(AuditedMixin, TeamScopedAdmin):
    list_display = ("name", "team")
    list_select_related = ("team",)
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("team",) if obj else ()
