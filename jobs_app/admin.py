from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app import kinds, services
from jobs_app.admin_actions import JobActions
from jobs_app.admin_forms import DecisionActionForm, DraftForm
from jobs_app.event_words import EVENT_WORDS
from jobs_app.models import (
    OVER,
    EventType,
    FineTuningJob,
    JobEvent,
    JobStatus,
    Provider,
)
from jobs_app.price_admin import PriceAdmin  # noqa: F401  (registers it)
from jobs_app.provider_admin import ProviderAdmin  # noqa: F401  (registers it)
from jobs_app.retold import retold
from jobs_app.webhook_admin import WebhookDoorAdmin  # noqa: F401  (registers it)
from teams_app.models import Role
from teams_app.scoped_admin import (
    AuditedMixin,
    TeamScopedAdmin,
    TeamScopedTabularInline,
)


class JobEventInline(TeamScopedTabularInline):
    """The job's story, without the numbers of every step."""

    model = JobEvent
    fields = readonly_fields = (
        "created_at",
        "level",
        "type",
        "words",
        "created_by",
        "request_id",
    )
    extra = 0
    can_delete = False
    verbose_name_plural = gettext_lazy("Events")

    @admin.display(description=gettext_lazy("message"))
    def words(self, event: JobEvent) -> str:
        return retold(event.message, EVENT_WORDS)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(type=EventType.METRICS)


@admin.register(FineTuningJob)
class FineTuningJobAdmin(JobActions, AuditedMixin, TeamScopedAdmin):
    """Drafts are edited and launched here; what was launched is only looked at."""

    form = DraftForm
    list_display = (
        "number",
        "state",
        "dataset_version",
        "provider",
        "base_model",
        "fine_tuned_model",
        "created_at",
        "page",
    )
    list_filter = ("status", "provider", "dataset_version__dataset")
    list_select_related = ("provider", "dataset_version__dataset")
    search_fields = (
        "base_model",
        "fine_tuned_model",
        "remote_id",
        "suffix",
        "dataset_version__dataset__name",
    )
    add_role = change_role = Role.LAUNCHER
    inlines = [JobEventInline]
    action_form = DecisionActionForm

    class Media:
        js = ("provider-form.js",)

    asked = (
        "dataset_version",
        "provider",
        "base_model",
        "n_epochs",
        "batch_size",
        "learning_rate_multiplier",
        "suffix",
        "seed",
        "launch_at",
    )
    told = (
        "state",
        "dataset_version",
        "provider",
        "base_model",
        "hyperparameters",
        "resolved_hyperparameters",
        "suffix",
        "seed",
        "remote_id",
        "fine_tuned_model",
        "estimated_epochs",
        "estimated_tokens",
        "usd_per_million_tokens",
        "trained_tokens",
        "error",
        "problem",
        "created_by",
        "scheduled_for",
        "launched_at",
        "finished_at",
    )

    @admin.display(description=gettext_lazy("job"), ordering="pk")
    def number(self, job: FineTuningJob) -> str:
        return f"#{job.pk}"

    @admin.display(description=gettext_lazy("state"), ordering="status")
    def state(self, job: FineTuningJob) -> SafeString:
        context = {"state": job.status, "label": job.get_status_display()}
        return render_to_string("components/_state.html", context)

    @admin.display(description=gettext_lazy("poll problem"))
    def problem(self, job: FineTuningJob) -> str:
        return retold(job.poll_problem) or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("jobs there that may be it"))
    def may_be_it(self, job: FineTuningJob) -> SafeString:
        names = ("id", "status", "base_model", "suffix", "created_at")
        lines = [
            " · ".join(str(each[name]) for name in names if each.get(name))
            for each in job.candidates
        ]
        return format_html_join("", "<p>{}</p>", [(line,) for line in lines])

    @admin.display(description=gettext_lazy("page"))
    def page(self, job: FineTuningJob) -> SafeString:
        return format_html('<a href="{}">{}</a>', self.view_on_site(job), _("open"))

    def view_on_site(self, job: FineTuningJob) -> str:
        return reverse("jobs:detail", args=[job.pk])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return self.asked
        return (*self.told, "may_be_it") if obj.candidates else self.told

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = self.get_fields(request, obj)
        return () if fields is self.asked else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        mine = Provider.objects.visible_to(request.user, Role.LAUNCHER)
        first = mine.filter(kind=kinds.BUILT_IN).first() or mine.first()
        if first is None:
            return {}
        return {"provider": first.pk, "base_model": first.default_base_model}

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_editable = obj is None or obj.status == JobStatus.DRAFT
        return is_editable and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A job that is deleted while it runs would train on, unseen.
        is_over = obj is None or obj.status in OVER | {JobStatus.DRAFT}
        return is_over and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it asks about no single job
        return actions

    def save_model(
        self, request: HttpRequest, obj: FineTuningJob, form: Any, change: bool
    ) -> None:
        obj.team = obj.provider.team
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            obj.save()
            return
        names = ("team", "hyperparameters", "scheduled_for", *DraftForm.Meta.fields)
        if not services.change_draft(obj, **{n: getattr(obj, n) for n in names}):
            text = _("%(job)s was launched meanwhile; your changes were not stored.")
            self.message_user(request, text % {"job": obj}, messages.ERROR)
