"""Forms of the portal and of the admin's own pages; imports have theirs."""

from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from datasets_app.models import BaseModel, Dataset, DatasetVersion
from teams_app.models import Role, Team


def posted(request: HttpRequest) -> QueryDict | None:
    """A form's data: None while the page is only looked at."""
    return request.POST if request.method == "POST" else None


class DatasetForm(forms.ModelForm):
    """The team is asked for only where there is a choice."""

    class Meta:
        model = Dataset
        fields = ("team", "name", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.visible_to(user, Role.CURATOR)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        if len(teams) == 1:
            self.fields["team"].widget = forms.HiddenInput()
            self.initial["team"] = teams[0].pk


class BaseModelForm(forms.ModelForm):
    """Which of the team's base models a dataset's tokens are counted for."""

    class Meta:
        model = Dataset
        fields = ("base_model",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["base_model"]
        field.queryset = BaseModel.objects.filter(team=self.instance.team_id)
        field.empty_label = _("any model that counts like gpt-4o")


class MendForm(forms.Form):
    text = forms.CharField(
        label=_("The line"),
        widget=forms.Textarea(
            attrs={"rows": 24, "class": "mono", "spellcheck": "false"}
        ),
        strip=False,
    )


class UndoImportForm(forms.Form):
    keep_changed = forms.BooleanField(
        label=_("Keep the rows that somebody changed or mended since"), required=False
    )


class FreezeForm(forms.Form):
    approved_only = forms.BooleanField(
        label=_("Approved rows only"),
        help_text=_("Otherwise every valid row that is not rejected."),
        required=False,
    )
    note = forms.CharField(
        label=_("Note"),
        help_text=_("For the history: what is new in this version."),
        max_length=200,
        required=False,
    )

    @classmethod
    def of(cls, request: HttpRequest, dataset: Dataset) -> "FreezeForm":
        """The team's rule is nobody's choice here: owners set it."""
        is_the_rule = dataset.team.approved_only
        form = cls(posted(request), initial={"approved_only": is_the_rule})
        form.fields["approved_only"].disabled = is_the_rule
        return form


class CopyForm(forms.Form):
    name = forms.CharField(label=_("Name of the new dataset"), max_length=100)

    @classmethod
    def of(cls, request: HttpRequest, version: DatasetVersion) -> "CopyForm":
        suggested = _("%(dataset)s, from v%(number)s") % {
            "dataset": version.dataset.name[:80],
            "number": version.number,
        }
        return cls(posted(request), initial={"name": suggested})
