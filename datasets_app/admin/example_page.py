"""The page of one example in the admin: its editor, and what is known of the row."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets_app import services
from datasets_app.admin.example_form import ExampleForm
from datasets_app.models import Example, ReviewState
from datasets_app.problem_texts import describe
from teams_app.access import has_role
from teams_app.models import Role
from teams_app.scoped_admin import TeamScopedAdmin


def _folded(title: Any, *fields: Any) -> tuple[Any, dict[str, Any]]:
    return title, {"classes": ["collapse"], "fields": fields}


class ExamplePage(TeamScopedAdmin):
    """What the admin class of examples knows of one of them."""

    class Media:
        css = {"all": ["turn-editor.css", "example-page.css"]}

    form = ExampleForm
    change_form_template = "admin/datasets_app/example/change_form.html"
    readonly_fields = (
        "state_shown",
        "problems_shown",
        "conversation",
        "position",
        "n_tokens",
        "content_hash",
        "import_shown",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    )
    tools_fieldset = _folded(_("Tools"), "tools", "parallel_tool_calls", "functions")
    fact_fieldsets = (
        _folded(_("Facts"), "n_tokens", "content_hash", "position", "import_shown"),
        _folded(
            _("Who and when"),
            ("created_at", "created_by"),
            ("updated_at", "updated_by"),
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            edited: tuple[str, ...] = ("dataset", "split", "messages", "tags")
            return [(None, {"fields": edited}), self.tools_fieldset]
        shown = ("dataset", "state_shown", "problems_shown", "split")
        if self.has_change_permission(request, obj):
            edited = (*shown, "messages", "tags", "opened_at")
            return [
                (None, {"fields": edited}),
                self.tools_fieldset,
                *self.fact_fieldsets,
            ]
        return [
            (None, {"fields": (*shown, "conversation", "tags")}),
            *self.fact_fieldsets,
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An example stays in its dataset, or a version's trail would lead nowhere."""
        return ("dataset", *self.readonly_fields) if obj else self.readonly_fields

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        obj = kwargs.get("obj")
        context["may_review"] = obj and has_role(request.user, obj, Role.REVIEWER)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Example, form: Any, change: bool
    ) -> None:
        state = obj.state
        services.save_example(obj, by=request.user, tags=form.cleaned_data.get("tags"))
        if obj.state != state:
            messages.info(
                request,
                gettext(
                    "The conversation changed, so it is a draft again until "
                    "somebody reviews it."
                ),
            )
        if not obj.is_valid:
            messages.warning(
                request,
                gettext(
                    "Stored, with problems: no version takes this example before "
                    "they are mended."
                ),
            )

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        for state, button in (
            (ReviewState.APPROVED, "_approve"),
            (ReviewState.REJECTED, "_reject"),
        ):
            if button in request.POST:
                self._review_one(request, form.instance, state)

    def _review_one(
        self, request: HttpRequest, obj: Example, state: ReviewState
    ) -> None:
        if not has_role(request.user, obj, Role.REVIEWER):
            messages.error(request, gettext("Only a reviewer approves and rejects."))
            return
        chosen = Example.objects.filter(pk=obj.pk)
        if not services.review_examples(chosen, state=state, by=request.user):
            messages.error(
                request,
                gettext("Not approved: mend the problems first."),
            )

    @admin.display(description=_("problems"))
    def problems_shown(self, obj: Example) -> str | SafeString:
        if not obj.problems:
            return gettext("none")
        described = [describe(problem) for problem in obj.problems]
        items = format_html_join(
            "",
            "<li>{} {} {}</li>",
            ((each["where"], each["what"], each["mend"]) for each in described),
        )
        return format_html('<ul class="problems">{}</ul>', items)

    @admin.display(description=_("messages"))
    def conversation(self, obj: Example) -> SafeString:
        turns = [turn for turn in obj.messages if isinstance(turn, dict)]
        return render_to_string("datasets_app/_turns.html", {"turns": turns})

    @admin.display(description=_("import"))
    def import_shown(self, obj: Example) -> str | SafeString:
        if obj.import_run is None:
            return "–"
        url = reverse("admin:datasets_app_importrun_change", args=[obj.import_run_id])
        return format_html('<a href="{}">{}</a>', url, obj.import_run.file_name)
