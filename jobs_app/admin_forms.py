"""The form of a draft in the admin."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app.forms import AutoNumberField
from jobs_app.hyperparameters import INTEGER_RANGES, LEARNING_RATE
from jobs_app.models import FineTuningJob
from jobs_app.services.launching import check_schedule


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

    def clean_launch_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["launch_at"]
        try:
            check_schedule(at)
        except ValidationError as exc:
            raise ValidationError(exc.messages) from exc
        return at

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        knobs = (*INTEGER_RANGES, LEARNING_RATE)
        self.instance.hyperparameters = {
            name: clean[name] for name in knobs if clean.get(name) is not None
        }
        self.instance.scheduled_for = clean.get("launch_at")
        return clean
