"""What a person says of a bulk edit, one form for each kind.

`params()` is what the kind's service takes. A form without fields only asks for a yes.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from datasets_app.models import BulkKind, Dataset, ReviewState, Split
from datasets_app.replacing import ARGUMENTS, LONGEST_PATTERN, TEXT
from datasets_app.services import review
from teams_app.access import has_role
from teams_app.models import User


class EditForm(forms.Form):
    """`may_preview`: the edit changes conversations, and can be looked at before."""

    may_preview = False

    def __init__(self, *args: Any, dataset: Dataset, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dataset, self.by = dataset, by

    def params(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class TagEditForm(EditForm):
    name = forms.CharField(label=_("Tag"), max_length=50)


class StateForm(EditForm):
    to = forms.ChoiceField(label=_("Review state"), choices=ReviewState.choices)
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed for a rejection; the rows' authors read it."),
        max_length=review.LONGEST_REASON,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            (state.value, state.label)
            for state in ReviewState
            if has_role(self.by, self.dataset, review.role_to_make(state.value))
        ]

    def params(self) -> dict[str, Any]:
        return {"state": self.cleaned_data["to"], "reason": self.cleaned_data["reason"]}


class SplitForm(EditForm):
    to = forms.ChoiceField(label=_("Into"), choices=Split.choices)

    def params(self) -> dict[str, Any]:
        return {"split": self.cleaned_data["to"]}


class PinForm(EditForm):
    is_pinned = forms.ChoiceField(
        label=_("When the dataset is split anew"),
        choices=[("1", _("the rows stay where they are")), ("0", _("they may move"))],
    )

    def params(self) -> dict[str, Any]:
        return {"is_pinned": self.cleaned_data["is_pinned"] == "1"}


class AssignForm(EditForm):
    assignee = forms.ModelChoiceField(
        label=_("Assignee"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("nobody"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = self.dataset.team.members.order_by("username")
        self.fields["assignee"].queryset = members  # type: ignore[attr-defined]

    def params(self) -> dict[str, Any]:
        user = self.cleaned_data["assignee"]
        return {"assignee": user.pk if user else None}


class WeightForm(EditForm):
    may_preview = True
    learnt = forms.ChoiceField(
        label=_("The model learns"),
        choices=[
            ("all", _("all of the assistant's messages")),
            ("last", _("only the last one of each conversation")),
        ],
    )


class SystemPromptForm(EditForm):
    may_preview = True
    how = forms.ChoiceField(
        label=_("What to do"),
        choices=[
            ("set", _("set it in every conversation, in place of another")),
            ("add", _("add it where there is none")),
            ("remove", _("remove it")),
        ],
    )
    text = forms.CharField(
        label=_("System prompt"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        strip=False,
    )


class ReplaceForm(EditForm):
    may_preview = True
    find = forms.CharField(label=_("Find"), max_length=LONGEST_PATTERN, strip=False)
    replace = forms.CharField(
        label=_("Replace with"),
        help_text=_(
            "Empty: take it out. In the replacement of a regular expression, \\1 is "
            "its first group, \\n a new line and \\\\ a backslash."
        ),
        max_length=10_000,
        required=False,
        strip=False,
    )
    is_regex = forms.BooleanField(label=_("Regular expression (RE2)"), required=False)
    ignore_case = forms.BooleanField(
        label=_("Capital and small letters are the same"), required=False
    )
    roles = forms.MultipleChoiceField(
        label=_("In messages of"),
        help_text=_("None ticked: of anybody."),
        choices=[
            ("system", _("system")),
            ("developer", _("developer")),
            ("user", _("user")),
            ("assistant", _("assistant")),
            ("tool", _("tool")),
        ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    fields_to_search = forms.MultipleChoiceField(
        label=_("Look in"),
        choices=[
            (TEXT, _("the text")),
            (ARGUMENTS, _("the arguments of tool calls")),
        ],
        initial=[TEXT],
        widget=forms.CheckboxSelectMultiple,
    )

    def params(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        return {"fields": cleaned.pop("fields_to_search"), **cleaned}


FORM_OF: dict[str, type[EditForm]] = {
    BulkKind.TAG: TagEditForm,
    BulkKind.UNTAG: TagEditForm,
    BulkKind.STATE: StateForm,
    BulkKind.SPLIT: SplitForm,
    BulkKind.PIN: PinForm,
    BulkKind.ASSIGN: AssignForm,
    BulkKind.WEIGHT: WeightForm,
    BulkKind.SYSTEM_PROMPT: SystemPromptForm,
    BulkKind.REPLACE: ReplaceForm,
    BulkKind.DELETE: EditForm,
    BulkKind.RESTORE: EditForm,
    BulkKind.PURGE: EditForm,
}
