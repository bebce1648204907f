"""What the editor asks while somebody types: is this row right, and how long is it?"""

from typing import Any

from django import forms
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from datasets_app.admin.json_fields import ExactJSONFormField, MessagesField
from datasets_app.admin.whole_row import WHOLE_ROW, said, with_fields
from datasets_app.chat_format import RECORD_KEYS
from datasets_app.checks.arguments import argument_problems
from datasets_app.derived import derive
from datasets_app.finding_texts import how_to_mend, what_is_wrong
from datasets_app.jsonl import BadLine, Problem
from datasets_app.models import Dataset, Example
from datasets_app.services.counting import counter_of
from datasets_app.whole_rows import whole_text
from teams_app.models import Role
from teams_app.rows import get_row, read_key
from teams_app.scoped_admin import TeamScopedAdmin
from teams_app.visible_signs import by_code


class RecordForm(forms.Form):
    """A row as it is typed; nothing is stored."""

    messages = MessagesField(required=False)
    preferred_output = MessagesField(required=False)
    non_preferred_output = MessagesField(required=False)
    tools = ExactJSONFormField(required=False)
    functions = ExactJSONFormField(required=False)
    extra = ExactJSONFormField(required=False)
    parallel_tool_calls = forms.NullBooleanField(required=False)

    def record(self) -> dict[str, Any]:
        """In the order of `chat_format`; what is no JSON yet is left out."""
        values = self.cleaned_data
        present = {key: values.get(key) for key in RECORD_KEYS}
        return {
            key: value
            for key, value in present.items()
            if value is not None or key == "messages"
        }


class ExampleCheck(TeamScopedAdmin):
    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "datasets_app_example_check"
        check = view(require_POST(self.check_view))
        return [
            path("<int:pk>/check/", check, name=name),
            path("check/", check, name=f"{name}_new"),
            *super().get_urls(),
        ]

    def check_view(self, request: HttpRequest, pk: int | None = None) -> JsonResponse:
        """`{"errors": {field: [...]}, "problems": [...], "tokens": {...}}`.

        A problem is `{"message": number or null, "what": ..., "mend": ...}`, where the
        messages are counted from 1 and a DPO row's outputs come after them.

        The row comes as the fields of its form, or as one JSON text, `whole_row`; then
        `fields` of the answer are the fields that it stands for. Whoever asks for the
        `whole` gets the text that the fields stand for.
        """
        dataset = self._dataset(request, pk)
        try:
            data = with_fields(request.POST, dataset.method)
        except BadLine as exc:
            errors = {WHOLE_ROW: [said(exc.problem)]}
            return JsonResponse({"errors": errors, "problems": [], "tokens": None})
        form = RecordForm(data)
        form.is_valid()
        record = form.record()
        answer = {
            "errors": form.errors,
            "problems": _problems(record, dataset.method),
            "tokens": _tokens(record, dataset),
        }
        if WHOLE_ROW in request.POST:
            answer["fields"] = {name: data.get(name, "") for name in RECORD_KEYS}
        elif "whole" in request.POST:
            answer |= _whole(form, record, dataset.method)
        return JsonResponse(answer)

    def _dataset(self, request: HttpRequest, pk: int | None) -> Dataset:
        if pk is not None:
            rows = Example.objects.select_related("dataset__base_model")
            return get_row(request, rows, pk, Role.CURATOR).dataset
        named = request.POST.get("dataset", "")
        datasets = Dataset.objects.select_related("base_model")
        return get_row(request, datasets, read_key(named), Role.CURATOR)


def _whole(form: RecordForm, record: dict[str, Any], method: str) -> dict[str, Any]:
    """`{"whole": text}`, or why there is none."""
    if form.errors:
        return {}
    try:
        return {"whole": whole_text(record, method)}
    except BadLine as exc:
        return {"errors": {WHOLE_ROW: [said(exc.problem)]}}


def _problems(record: dict[str, Any], method: str) -> list[dict[str, Any]]:
    found = [
        *derive(record, method).problems,
        *argument_problems(record),
    ]
    return [_as_shown(problem) for problem in found]


def _as_shown(problem: Problem) -> dict[str, Any]:
    return {
        "message": problem.message_index,
        "what": by_code(what_is_wrong(problem.code, problem.params)),
        "mend": how_to_mend(problem.code),
    }


def _tokens(record: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    """As the dataset's base model counts."""
    counter = counter_of(dataset.base_model)
    return {"messages": counter.per_message(record), "total": counter.count(record)}
