from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasets_app.admin.conflicts import Conflict, fingerprint
from datasets_app.admin.json_fields import ExactJSONFormField, MessagesField
from datasets_app.admin.tags_field import TagsField
from datasets_app.admin.turn_editor import TurnEditor
from datasets_app.admin.whole_row import WHOLE_ROW, why_not
from datasets_app.models import Example, Tag
from datasets_app.services.errors import ChangedMeanwhile
from datasets_app.services.history import newest_revision

SMALL = {"rows": 4, "spellcheck": "false", "class": "turn-editor__json"}


class ExampleForm(forms.ModelForm):
    """Edits one conversation, and notices if somebody else did so meanwhile."""

    messages = MessagesField(widget=TurnEditor, label=gettext_lazy("Messages"))
    preferred_output = MessagesField(
        widget=TurnEditor(output=True),
        required=False,
        label=gettext_lazy("Preferred answer"),
    )
    non_preferred_output = MessagesField(
        widget=TurnEditor(output=True),
        required=False,
        label=gettext_lazy("Non-preferred answer"),
    )
    tools = ExactJSONFormField(
        widget=forms.Textarea(attrs=SMALL),
        required=False,
        label=gettext_lazy("Tools"),
    )
    functions = ExactJSONFormField(
        widget=forms.Textarea(attrs=SMALL),
        required=False,
        label=gettext_lazy("Functions"),
        help_text=gettext_lazy("The old form of tools; new rows use tools."),
    )
    extra = ExactJSONFormField(
        widget=forms.Textarea(attrs=SMALL),
        required=False,
        label=gettext_lazy("Further keys"),
        help_text=gettext_lazy(
            "What else the row's author wrote; graders read it in RFT rows."
        ),
    )
    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)
    opened_state = forms.CharField(widget=forms.HiddenInput, required=False)
    opened_revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    draft_id = forms.CharField(
        widget=forms.HiddenInput, required=False, max_length=40, strip=True
    )

    class Meta:
        model = Example
        fields = (
            "dataset",
            "split",
            "messages",
            "preferred_output",
            "non_preferred_output",
            "tools",
            "parallel_tool_calls",
            "functions",
            "extra",
            "tags",
        )
        field_classes = {"tags": TagsField}

    conflict: Conflict | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["opened_at"] = self.instance.updated_at.isoformat()
            self.initial["opened_state"] = fingerprint(self.instance)
            self.initial["opened_revision"] = newest_revision(self.instance)
        if self.instance.pk and "tags" in self.fields:
            own = Tag.objects.filter(team=self.instance.dataset.team_id)
            self.fields["tags"].queryset = own  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if WHOLE_ROW in self.data:  # it could not be put into the fields
            raise forms.ValidationError(why_not(self.data[WHOLE_ROW]), code=WHOLE_ROW)
        if self.data.get("merge_edit"):
            raise forms.ValidationError(
                _(
                    "Both changes are put together below. Nothing is stored yet: look "
                    "it over, then save."
                ),
                code="merged",
            )
        if self.instance.pk:
            self._notice_other_change(cleaned)
        self._keep_tags_in_team(cleaned)
        return cleaned

    def _notice_other_change(self, cleaned: dict[str, Any]) -> None:
        """The row stays locked until this request ends, so nobody slips in between.

        `conflict` is then what the page needs to let the person choose.
        """
        current = (
            Example.objects.select_for_update(of=("self",))
            .select_related("updated_by", "dataset__team")
            .get(pk=self.instance.pk)
        )
        if cleaned.get("opened_at") == current.updated_at.isoformat():
            return
        if cleaned.get("opened_state") == fingerprint(current):
            return
        if not self.errors:
            base = cleaned.get("opened_revision") or 0
            self.conflict = Conflict(current, cleaned, base)
        raise forms.ValidationError(ChangedMeanwhile.text(current), code="conflict")

    def _keep_tags_in_team(self, cleaned: dict[str, Any]) -> None:
        dataset = self.instance.dataset if self.instance.pk else cleaned.get("dataset")
        if dataset is None:
            return
        tags = cleaned.get("tags") or ()
        foreign = [str(tag) for tag in tags if tag.team_id != dataset.team_id]
        if foreign:
            self.add_error(
                "tags",
                _("Not a tag of the team “%(team)s”: %(tags)s.")
                % {"team": dataset.team, "tags": ", ".join(foreign)},
            )
