"""The form of a draft in the admin."""

import json
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app.forms import AutoNumberField
from jobs_app.hyperparameters import INTEGER_RANGES, KNOWN
from jobs_app.models import FineTuningJob, Provider
from jobs_app.provider_fields import fields_of, told_of
from jobs_app.services.fitting import check_fits
from jobs_app.services.launching import check_schedule

_LEFT_EMPTY = gettext_lazy("Left empty, the provider chooses what suits the data.")


class DecisionActionForm(ActionForm):
    """Beside the choice of an action: why a launch is approved or declined, and which
    job of the provider is the one that needs a decision."""

    comment = forms.CharField(
        label=gettext_lazy("Reason (to decline a launch)"),
        required=False,
        max_length=1000,
    )
    remote_id = forms.CharField(
        label=gettext_lazy("Id at the provider (for a decision)"),
        required=False,
        max_length=200,
    )


class DraftForm(forms.ModelForm):
    """A job before its launch; an empty knob is left to the provider."""

    n_epochs = AutoNumberField(
        forms.IntegerField(
            min_value=INTEGER_RANGES["n_epochs"][0],
            max_value=INTEGER_RANGES["n_epochs"][1],
        ),
        label=gettext_lazy("Epochs"),
    )
    batch_size = AutoNumberField(
        forms.IntegerField(
            min_value=INTEGER_RANGES["batch_size"][0],
            max_value=INTEGER_RANGES["batch_size"][1],
        ),
        label=gettext_lazy("Batch size"),
    )
    learning_rate_multiplier = AutoNumberField(
        forms.FloatField(min_value=1e-6, max_value=1000),
        label=gettext_lazy("Learning-rate multiplier"),
    )
    # Not `scheduled_for`: no form of the admin takes a field that services alone set.
    launch_at = forms.DateTimeField(
        label=gettext_lazy("Launch later"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )

    class Meta:
        model = FineTuningJob
        fields = ("dataset_version", "provider", "base_model", "suffix", "seed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.instance.hyperparameters.items():
            if name in self.fields and value != "auto":
                self.initial[name] = value
        self.initial["launch_at"] = self.instance.scheduled_for
        self.fields["launch_at"].help_text = _(
            "Left empty, it is launched at once. Times are in %(zone)s."
        ) % {"zone": get_current_timezone_name()}
        if "provider" in self.fields:
            self._follow_the_provider()

    def _follow_the_provider(self) -> None:
        """Show what the chosen one takes; the script does so for another choice."""
        field: Any = self.fields["provider"]
        offered = {str(each.pk): each for each in field.queryset}
        helps = {pk: self._helps(each) for pk, each in offered.items()}
        lacking = {pk: fields_of(each).lacking for pk, each in offered.items()}
        # The admin wraps the choice in links to add and to change one.
        choice = getattr(field.widget, "widget", field.widget)
        choice.attrs["data-hints"] = json.dumps(helps, ensure_ascii=False)
        choice.attrs["data-lacking"] = json.dumps(lacking)
        chosen = self._chosen_provider(field)
        for name, text in helps.get(chosen, {}).items():
            self.fields[name].help_text = escape(text)
        for name in lacking.get(chosen, ()):
            self.fields[name].widget.attrs["disabled"] = True

    def _chosen_provider(self, field: forms.Field) -> str:
        """Its key; read without the bound field, which would keep the old help text."""
        if self.is_bound:
            return str(self.data.get(self.add_prefix("provider"), ""))
        return str(self.get_initial_for_field(field, "provider"))

    def _helps(self, provider: Provider) -> dict[str, str]:
        """The text below each field that depends on the provider."""
        labels = {name: str(field.label) for name, field in self.fields.items()}
        ranges = fields_of(provider).ranges
        spans = {name: ranges.get(name, "") for name in KNOWN}
        return {"provider": told_of(provider, labels)} | {
            name: f"{span}. {_LEFT_EMPTY}" if span else str(_LEFT_EMPTY)
            for name, span in spans.items()
        }

    def clean_launch_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["launch_at"]
        try:
            check_schedule(at)
        except ValidationError as exc:
            raise ValidationError(exc.messages) from exc
        return at

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        self.instance.hyperparameters = {
            name: clean[name] for name in KNOWN if clean.get(name) is not None
        }
        self.instance.scheduled_for = clean.get("launch_at")
        if clean.get("provider") and clean.get("dataset_version"):
            given = {n: clean[n] for n in DraftForm.Meta.fields if n in clean}
            knobs_given = self.instance.hyperparameters
            check_fits(FineTuningJob(**given, hyperparameters=knobs_given))
        return clean
