"""The forms of the admin: a provider whose key only goes in, and a draft."""

from typing import Any

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app.addresses import RefusedAddress, check_base_url
from jobs_app.forms import AutoNumberField
from jobs_app.hyperparameters import INTEGER_RANGES, LEARNING_RATE
from jobs_app.models import FineTuningJob, Provider, ProviderKind


class ProviderForm(forms.ModelForm):
    """The stored key is never a value of this form, so no page can show it."""

    new_api_key = forms.CharField(
        label=gettext_lazy("API key"),
        required=False,
        strip=True,
        max_length=1000,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password"}
        ),
    )

    class Meta:
        model = Provider
        fields = ("team", "name", "kind", "base_url", "default_base_model")
        widgets = {
            "base_url": forms.URLInput(
                attrs={"placeholder": "https://api.openai.com/v1", "size": 60}
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_api_key" in self.fields:
            self.fields["new_api_key"].help_text = self._key_help()
        if "kind" in self.fields:
            self.fields["kind"].choices = [  # type: ignore[attr-defined]
                each
                for each in ProviderKind.choices
                if each[0] != ProviderKind.BUILT_IN
            ]

    def _key_help(self) -> str:
        if not self.instance.has_key:
            return _("No key is stored.")
        return _(
            "A key is stored and cannot be read here. Leave this empty to keep it. "
            "A new base URL needs the key again."
        )

    def clean_new_api_key(self) -> str:
        key = self.cleaned_data["new_api_key"]
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValidationError(
                _("A key has only ASCII letters, digits and signs; copy it again.")
            )
        return key

    def clean_base_url(self) -> str:
        base_url = self.cleaned_data["base_url"].strip().rstrip("/")
        try:
            check_base_url(base_url)
        except RefusedAddress as exc:
            raise ValidationError(str(exc)) from exc
        return base_url


class DecisionActionForm(ActionForm):
    """Beside the choice of an action: why a launch is approved or declined."""

    comment = forms.CharField(
        label=gettext_lazy("Reason (to decline a launch)"),
        required=False,
        max_length=1000,
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

    class Meta:
        model = FineTuningJob
        fields = ("dataset_version", "provider", "base_model", "suffix", "seed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.instance.hyperparameters.items():
            if name in self.fields and value != "auto":
                self.initial[name] = value

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        knobs = (*INTEGER_RANGES, LEARNING_RATE)
        self.instance.hyperparameters = {
            name: clean[name] for name in knobs if clean.get(name) is not None
        }
        return clean
