"""What people may type: filters of the history, a launch, a question."""

import uuid
from typing import Any

from django import forms
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from datasets_app.models import Dataset, DatasetVersion
from jobs_app.curves import View
from jobs_app.history import ALL_OPEN
from jobs_app.hyperparameters import (
    AUTO,
    INTEGER_RANGES,
    KNOWN,
    MAX_SEED,
    MAX_SUFFIX_LENGTH,
    check_suffix,
)
from jobs_app.models import FineTuningJob, JobStatus, Provider
from teams_app.models import Role

STATUS_CHOICES = [
    ("", _("any state")),
    (ALL_OPEN, pgettext_lazy("jobs that are not over", "open")),
    *JobStatus.choices,
]


class HistoryForm(forms.Form):
    """Filters of the job history; a value outside the lists filters nothing."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Name, model, id…")}
        ),
    )
    status = forms.ChoiceField(label=_("State"), required=False, choices=STATUS_CHOICES)
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        label=_("Dataset"),
        required=False,
        empty_label=_("any dataset"),
    )
    provider = forms.ModelChoiceField(
        Provider.objects.none(),
        label=_("Provider"),
        required=False,
        empty_label=_("any provider"),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["dataset"], Dataset.objects.visible_to(user))
        _offer(self.fields["provider"], Provider.objects.visible_to(user))

    def filters(self) -> dict[str, Any]:
        """Keyword arguments for history.filtered."""
        self.is_valid()
        clean = self.cleaned_data
        return {
            "status": clean.get("status", ""),
            "dataset": clean.get("dataset"),
            "provider": clean.get("provider"),
            "text": clean.get("q", ""),
        }


class AutoNumberField(forms.CharField):
    """A number, or nothing (or the word auto): then the provider chooses."""

    def __init__(self, number_field: forms.Field, **kwargs: Any) -> None:
        self.number_field = number_field
        attrs = {"placeholder": AUTO, "inputmode": "decimal", "size": 8}
        super().__init__(required=False, widget=forms.TextInput(attrs), **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value).strip()
        return self.number_field.clean(text) if text not in {"", AUTO} else None


def _integer(name: str) -> forms.IntegerField:
    low, high = INTEGER_RANGES[name]
    return forms.IntegerField(min_value=low, max_value=high)


class LaunchForm(forms.Form):
    """A new job. The hidden key makes a double click or a resubmission one job."""

    launch_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    version = forms.ModelChoiceField(
        DatasetVersion.objects.none(), label=_("Dataset version"), empty_label=None
    )
    provider = forms.ModelChoiceField(
        Provider.objects.none(), label=_("Provider"), empty_label=None
    )
    base_model = forms.CharField(
        label=_("Base model"),
        max_length=200,
        widget=forms.TextInput(attrs={"list": "base-models", "autocomplete": "off"}),
    )
    n_epochs = AutoNumberField(
        _integer("n_epochs"),
        label=_("Epochs"),
    )
    batch_size = AutoNumberField(
        _integer("batch_size"),
        label=_("Batch size"),
    )
    learning_rate_multiplier = AutoNumberField(
        forms.FloatField(min_value=1e-6, max_value=1000),
        label=_("Learning rate ×"),
    )
    suffix = forms.CharField(
        label=_("Suffix"),
        required=False,
        max_length=MAX_SUFFIX_LENGTH,
        validators=[check_suffix],
        help_text=_("Becomes part of the tuned model's name."),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        required=False,
        min_value=0,
        max_value=MAX_SEED,
        help_text=_("The same seed and data give the same training."),
    )
    scheduled_for = forms.DateTimeField(
        label=_("Launch later"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        help_text=_("Left empty, it is launched at once. Times are in %(zone)s."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        later = self.fields["scheduled_for"]
        later.help_text = later.help_text % {"zone": get_current_timezone_name()}
        versions = DatasetVersion.objects.visible_to(user, Role.LAUNCHER)
        _offer(self.fields["version"], versions.select_related("dataset__team"))
        providers = Provider.objects.visible_to(user, Role.LAUNCHER)
        _offer(self.fields["provider"], providers.select_related("team"))

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        version, provider = clean.get("version"), clean.get("provider")
        if version and provider and version.dataset.team_id != provider.team_id:
            self.add_error(
                "provider",
                _("This provider belongs to another team than the dataset does."),
            )
        return clean

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for services.create_job, without `by`."""
        clean = self.cleaned_data
        return {
            "provider": clean["provider"],
            "dataset_version": clean["version"],
            "base_model": clean["base_model"],
            "hyperparameters": {k: clean[k] for k in KNOWN if clean[k] is not None},
            "suffix": clean["suffix"],
            "seed": clean["seed"],
            "launch_key": clean["launch_key"],
            "scheduled_for": clean["scheduled_for"],
        }


class ScheduleForm(forms.Form):
    """Another time for a launch that waits for its time; empty: now."""

    scheduled_for = forms.DateTimeField(
        label=_("Launch at"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )


class EstimateForm(LaunchForm):
    """What of a launch its cost depends on; a form that is still being filled in."""

    field_order = ("version", "provider", "base_model", "n_epochs", "batch_size")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(self.field_order):
            del self.fields[name]

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for services.estimate."""
        clean = self.cleaned_data
        knobs = [name for name in KNOWN if clean.get(name) is not None]
        return {
            "provider": clean["provider"],
            "dataset_version": clean["version"],
            "base_model": clean["base_model"],
            "hyperparameters": {name: clean[name] for name in knobs},
        }


class AskForm(forms.Form):
    """One question for the base model and for a model of this job."""

    question = forms.CharField(
        label=_("Question"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    system = forms.CharField(
        label=_("System prompt"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    tuned = forms.CharField(required=False, max_length=20)

    def messages(self) -> list[dict[str, str]]:
        clean = self.cleaned_data
        turns = [("system", clean["system"]), ("user", clean["question"])]
        return [{"role": role, "content": text} for role, text in turns if text]


class ChartForm(forms.Form):
    """Which part of the curves is looked at, and how."""

    first = forms.FloatField(label=_("From step"), required=False, min_value=0)
    last = forms.FloatField(label=_("to step"), required=False, min_value=0)
    is_log = forms.BooleanField(label=_("Logarithmic"), required=False)
    is_smooth = forms.BooleanField(label=_("Smoothed"), required=False)

    def view(self) -> View:
        self.is_valid()
        clean = self.cleaned_data
        return View(
            first_step=clean.get("first"),
            last_step=clean.get("last"),
            is_log=clean.get("is_log", False),
            is_smooth=clean.get("is_smooth", False),
        )


def prefill(job: FineTuningJob) -> dict[str, Any]:
    """The initial values that launch the same again."""
    return {
        "version": job.dataset_version_id,
        "provider": job.provider_id,
        "base_model": job.base_model,
        "suffix": job.suffix,
        "seed": job.seed,
        **{k: v for k, v in job.hyperparameters.items() if v != AUTO},
    }


def _offer(field: Any, queryset: Any) -> None:
    field.queryset = queryset
