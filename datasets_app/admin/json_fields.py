"""Form fields that take JSON as exactly as an import does, and keep what was typed."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext as _

from datasets_app import exact_json
from datasets_app.jsonl import BadLine, parse_json
from datasets_app.problem_texts import how_to_mend, what_is_wrong


class ExactJSONFormField(forms.JSONField):
    def to_python(self, value: Any) -> Any:
        if self.disabled or not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return parse_json(value.encode(errors="surrogatepass"))
        except BadLine as exc:
            problem = exc.problem
            raise ValidationError(
                f"{what_is_wrong(problem.code, problem.params)} "
                f"{how_to_mend(problem.code)}",
                code=problem.code,
            ) from exc

    def bound_data(self, data: Any, initial: Any) -> Any:
        if self.disabled:
            return initial
        return None if data is None else InvalidJSONInput(data)  # as it was typed

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return "" if value is None else exact_json.pretty(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            typed = self.to_python(data)
        except ValidationError:
            return True
        return exact_json.dumps(initial) != exact_json.dumps(typed)


class MessagesField(ExactJSONFormField):
    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if value is not None and not isinstance(value, list):
            raise ValidationError(
                _("The messages are a list: begin with [ and end with ].")
            )
        return value
