"""The tags of one example, as its form posts them: keys, or whatever comes."""

from typing import Any

from django import forms

from teams_app.rows import MOST_DIGITS


class TagsField(forms.ModelMultipleChoiceField):
    """Says of nonsense that it is no tag, where a database would stumble over it."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        for key in value if isinstance(value, list | tuple) else ():
            if not _may_be_a_key(str(key)):
                raise self._invalid(key)
        return super().clean(value)

    def _invalid(self, key: Any) -> forms.ValidationError:
        return forms.ValidationError(
            self.error_messages["invalid_choice"],
            code="invalid_choice",
            params={"value": str(key)[:MOST_DIGITS]},
        )


def _may_be_a_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
