"""The page of one example in the admin: its editor, and what is known of the row."""

from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasets_app import services
from datasets_app.admin.example_check import ExampleCheck
from datasets_app.admin.example_form import ExampleForm
from datasets_app.admin.example_history import IN_PANEL, ExampleHistory, revisions_of
from datasets_app.admin.example_saving import ExampleSaving
from datasets_app.admin.revision_words import label_of, tell
from datasets_app.admin.saved_drafts import saved
from datasets_app.admin.turn_editor import words
from datasets_app.admin.whole_row import WHOLE_ROW
from datasets_app.chat_format import OUTPUT_KEYS, REINFORCEMENT_ROLES, ROLES
from datasets_app.checks.codes import is_structure
from datasets_app.models import Example, Finding, Method, VersionRow
from datasets_app.problem_texts import describe
from datasets_app.turn_views import shown_turns
from teams_app.access import has_role
from teams_app.models import Role

TURNS = "datasets_app/_review_turns.html"
MAX_FINDINGS = 20
HIDDEN_FIELDS = ("opened_at", "opened_state", "opened_revision", "draft_id")


def _folded(title: Any, *fields: Any) -> tuple[Any, dict[str, Any]]:
    return title, {"classes": ["collapse"], "fields": fields}


def _outputs(obj: Example) -> tuple[str, ...]:
    """The two answers that a DPO row compares."""
    if obj.dataset.method == Method.DPO:
        return OUTPUT_KEYS
    return tuple(key for key in OUTPUT_KEYS if getattr(obj, key) is not None)


def _versions(obj: Example) -> list[VersionRow]:
    """The newest versions that hold this row."""
    return list(services.versions_of(obj)[:IN_PANEL])


def _findings(obj: Example) -> list[Finding]:
    """What the last check of the dataset found in this row beyond the format."""
    found = obj.findings.all()[:MAX_FINDINGS]
    return [each for each in found if not is_structure(each.code)]


def _settings(
    request: HttpRequest, obj: Example | None, context: Any
) -> dict[str, Any]:
    """What static/editor/main.js reads."""
    name = "admin:datasets_app_example_check"
    method = obj.dataset.method if obj else Method.REINFORCEMENT
    allowed = REINFORCEMENT_ROLES if method == Method.REINFORCEMENT else ROLES
    form = context["adminform"].form
    return {
        "words": words(allowed),
        "checkUrl": reverse(name, args=[obj.pk]) if obj else reverse(f"{name}_new"),
        "key": f"{request.user.pk}:{obj.pk if obj else 'new'}",
        "saved": saved(request),
        "maxBytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        "icons": static("icons.svg"),
        "isBound": form.is_bound,
        "wholeRow": form.data.get(WHOLE_ROW),
    }


# Pictures from elsewhere are asked for one by one, on a click; see static/editor.
@method_decorator(csp_update({"img-src": ["https:", "http:"]}), name="changeform_view")
class ExamplePage(ExampleHistory, ExampleCheck, ExampleSaving):
    """What the admin class of examples knows of one of them."""

    class Media:
        css = {"all": ["turn-editor.css", "example-page.css", "review.css"]}

    form = ExampleForm
    change_form_template = "admin/datasets_app/example/change_form.html"
    readonly_fields = ("conversation", "content_hash", "position", "import_shown")
    tools_fieldset = _folded(_("Tools"), "tools", "parallel_tool_calls", "functions")
    outputs_fieldset = _folded(_("Answers of a DPO row"), *OUTPUT_KEYS)
    extra_fieldset = _folded(_("Further keys"), "extra")
    facts_fieldset = _folded(_("Facts"), "content_hash", "position", "import_shown")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        place = ("dataset", "split")
        if obj is not None and not self.has_change_permission(request, obj):
            shown = (*place, "conversation", "tags")
            return [(None, {"fields": shown}), self.facts_fieldset]
        outputs = _outputs(obj) if obj else ()
        edited = (*place, "messages", *outputs, "tags", *HIDDEN_FIELDS)
        return [
            (None, {"fields": edited}),
            *([] if obj else [self.outputs_fieldset]),
            self.tools_fieldset,
            self.extra_fieldset,
            *([self.facts_fieldset] if obj else []),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An example stays in its dataset, or a version's trail would lead nowhere."""
        return ("dataset", *self.readonly_fields) if obj else self.readonly_fields

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        obj = kwargs.get("obj")
        if obj is None or self.has_change_permission(request, obj):
            context["editor"] = _settings(request, obj, context)
        if obj:
            context["may_review"] = has_role(request.user, obj, Role.REVIEWER)
            context["problems"] = [describe(problem) for problem in obj.problems]
            context["findings"] = _findings(obj)
            context["versions"] = _versions(obj)
            recent = revisions_of(request, obj)[:IN_PANEL]
            context["told"] = tell(recent, with_diffs=False)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("messages"))
    def conversation(self, obj: Example) -> SafeString:
        """For who may only read. An answer of a DPO row comes under its own name."""
        outputs = [
            (label_of(key), getattr(obj, key))
            for key in OUTPUT_KEYS
            if getattr(obj, key) is not None
        ]
        return format_html_join(
            "",
            "<p>{}</p>{}",
            (
                (label, render_to_string(TURNS, {"turns": shown_turns(turns)}))
                for label, turns in [("", obj.messages), *outputs]
            ),
        )

    @admin.display(description=_("import"))
    def import_shown(self, obj: Example) -> str | SafeString:
        if obj.import_run is None:
            return "–"
        url = reverse("admin:datasets_app_importrun_change", args=[obj.import_run_id])
        return format_html('<a href="{}">{}</a>', url, obj.import_run.file_name)
