"""The form of a provider: what its kind needs, and a key that only goes in."""

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app import kinds
from jobs_app.addresses import RefusedAddress, check_base_url
from jobs_app.models import Provider
from jobs_app.providers import PROFILES, Profile, profile_of
from jobs_app.providers.bodies import RESERVED

MAX_EXTRA_CHARACTERS = 4000
API_VERSION = re.compile(r"[0-9A-Za-z._-]*")
KINDS = [
    (kind, label)
    for kind, label in kinds.choices()
    if PROFILES[kind].is_chosen_by_people
]


def hints(profile: Profile) -> dict[str, str]:
    """The help below each field, as the page shows it for this kind."""
    example = _("For example %(example)s")
    extra = profile.extra_body_example
    return {
        "base_url": f"{profile.base_url_help} "
        + example % {"example": profile.base_url_example},
        "new_api_key": str(profile.key_help),
        "extra_body": _(
            "A JSON object that is added to every request for a job, or {}."
        )
        + (f" {example % {'example': extra}}" if extra else ""),
        "api_version": _("Left empty: %(version)s.") % {"version": profile.api_version}
        if profile.api_version
        else _("This kind has none; leave it empty."),
    }


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
        fields = (
            "team",
            "name",
            "kind",
            "base_url",
            "api_version",
            "default_base_model",
            "extra_body",
        )
        widgets = {
            "base_url": forms.URLInput(attrs={"size": 60}),
            "extra_body": forms.Textarea(attrs={"rows": 3, "cols": 60}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in hints(profile_of(self.instance)).items():
            if name in self.fields:
                self.fields[name].help_text = text
        if "new_api_key" in self.fields:
            field = self.fields["new_api_key"]
            field.help_text = f"{field.help_text} {self._about_the_stored_key()}"
        if "base_url" in self.fields:
            self.fields["base_url"].required = False  # some kinds have one for all
        if "kind" in self.fields:
            self._offer_kinds(self.fields["kind"])

    def _offer_kinds(self, field: Any) -> None:
        field.choices = KINDS
        about_key = self._about_the_stored_key()
        all_hints = {kind: hints(PROFILES[kind]) for kind, _label in KINDS}
        for each in all_hints.values():
            each["new_api_key"] += f" {about_key}"
        field.widget.attrs["data-hints"] = json.dumps(all_hints, ensure_ascii=False)

    def _about_the_stored_key(self) -> str:
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
        profile = PROFILES.get(self.cleaned_data.get("kind", self.instance.kind))
        base_url = base_url or (profile.base_url if profile else "")
        try:
            check_base_url(base_url)
        except RefusedAddress as exc:
            raise ValidationError(str(exc)) from exc
        return base_url

    def clean_api_version(self) -> str:
        version = self.cleaned_data["api_version"].strip()
        if not API_VERSION.fullmatch(version):
            raise ValidationError(
                _("An API version looks like 2025-04-01-preview: no other signs.")
            )
        return version

    def clean_extra_body(self) -> dict[str, Any]:
        given = self.cleaned_data["extra_body"] or {}
        if not isinstance(given, dict):
            raise ValidationError(_("Write a JSON object, such as {} for none."))
        if len(json.dumps(given)) > MAX_EXTRA_CHARACTERS:
            raise ValidationError(
                _("That is too much: %(n)d characters are allowed.")
                % {"n": MAX_EXTRA_CHARACTERS}
            )
        if taken := RESERVED & given.keys():
            raise ValidationError(
                _("These fields are a job's own and cannot be set here: %(names)s.")
                % {"names": ", ".join(sorted(taken))}
            )
        return given
