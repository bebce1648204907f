"""Forms of an import: the file; then how to read it, and what to do with its rows."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from datasets_app.formats import BESIDE, PARQUET, RFT, ROW_KINDS, TABLES, reads_columns
from datasets_app.forms import posted
from datasets_app.models import FileFormat, ImportRun, OnDuplicate, Split
from datasets_app.services import StorageFull
from datasets_app.services.previews import Look
from datasets_app.upload_handler import upload_error

COLUMN_LABELS = {
    "messages": _("Whole conversation"),
    "system": _("System prompt"),
    "user": _("Question"),
    "assistant": _("Answer"),
    "preferred": _("Better answer"),
    "non_preferred": _("Worse answer"),
    "tools": _("Tools"),
    "image": _("Image"),
    "tags": _("Tags"),
}
BY_COLUMNS = ""
ASKS_FOR_COLUMNS = (BY_COLUMNS, RFT)


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "JSONL, a JSON array, CSV, TSV or Parquet; packed with gzip if you like. "
            "You see its first rows before anything is added."
        ),
        allow_empty_file=True,
    )

    @classmethod
    def of(cls, request: HttpRequest) -> "UploadForm":
        """The form as posted; of an upload that the disk refused, with the reason."""
        form = cls(posted(request), request.FILES or None)
        if error := upload_error(request):
            reason = str(StorageFull.because(error))
            form.fields["file"].error_messages["required"] = reason
        return form

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if not file.size:
            raise forms.ValidationError(_("The file is empty. Choose another one."))
        return file


class StartForm(forms.Form):
    """How to read a file. A table's columns are asked for only where there are any."""

    format = forms.ChoiceField(label=_("The file is"))
    split = forms.ChoiceField(label=_("Into"), choices=Split.choices)
    on_duplicate = forms.ChoiceField(
        label=_("A row that the dataset has already"), choices=OnDuplicate.choices
    )
    strict = forms.BooleanField(
        label=_("All or nothing: add no row if any row is invalid"), required=False
    )

    def __init__(self, data: QueryDict | None, *, run: ImportRun, look: Look) -> None:
        initial = {"format": run.format, "split": run.split, "strict": run.strict}
        guess = _as_fields(look.guess)
        if data is not None and look.format in TABLES and "kind" not in data:
            data = data.copy()  # the format was changed just now
            data.update(guess)
        if look.format == run.format and run.mapping:
            guess = _as_fields(run.mapping)
        super().__init__(data, initial=initial | guess)
        choices = [(key, label) for key, label in FileFormat.choices if _fits(key, run)]
        self.fields["format"].choices = choices  # type: ignore[attr-defined]
        if look.format in TABLES:
            chosen = initial | guess if data is None else data.dict()
            kind = str(chosen.get("kind", BY_COLUMNS))
            self._ask_for_columns(look.columns, kind)

    def _ask_for_columns(self, columns: list[str], kind: str) -> None:
        """A kind other than tasks knows the names of its columns."""
        kinds = [choice for choice in FileFormat.choices if choice[0] in ROW_KINDS]
        asked: dict[str, forms.Field] = {
            "kind": forms.ChoiceField(
                label=_("A row is"),
                choices=[(BY_COLUMNS, _("what the columns say")), *kinds],
                required=False,
            )
        }
        choices = [("", _("none")), *((column, column[:80]) for column in columns)]
        for role, label in COLUMN_LABELS.items():
            if role not in BESIDE and kind not in ASKS_FOR_COLUMNS:
                continue
            asked[f"column_{role}"] = forms.ChoiceField(
                label=label, choices=choices, required=False
            )
        others = {name: self.fields.pop(name) for name in [*self.fields][1:]}
        self.fields.update(asked | others)

    @property
    def mapping(self) -> dict[str, str]:
        """Of the form as it is shown, whether it was sent or not."""
        values = {name: self[name].value() for name in self.fields}
        mapping = {
            role: str(values[f"column_{role}"])
            for role in COLUMN_LABELS
            if values.get(f"column_{role}")
        }
        if kind := values.get("kind"):
            mapping["kind"] = str(kind)
        return mapping

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "kind" in self.fields and not (
            cleaned.get("kind") or reads_columns(self.mapping)
        ):
            raise forms.ValidationError(_("Say which column holds the answers."))
        return cleaned


def _fits(format: str, run: ImportRun) -> bool:
    """Parquet is Parquet; every text may be any of the others."""
    return (format == PARQUET) == (run.format == PARQUET)


def _as_fields(mapping: dict[str, str]) -> dict[str, str]:
    return {
        name if name == "kind" else f"column_{name}": column
        for name, column in mapping.items()
    }
