"""What owners set for their team, and what a user wants to hear of."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from jobs_app.addresses import RefusedAddress
from jobs_app.models import TOLD_CHOICES, NoticeChoice, Webhook
from jobs_app.webhook_addresses import check_webhook_url
from teams_app.models import Team, User


class RulesForm(forms.ModelForm):
    """How much launches may cost, and when a second person must agree."""

    class Meta:
        model = Team
        fields = (
            "launch_limit_usd",
            "month_limit_usd",
            "approve_above_limit",
            "approve_unapproved_rows",
            "approve_always",
        )


def _kinds() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Tell of"),
        choices=TOLD_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        initial=[kind for kind, _label in TOLD_CHOICES],
    )


class WebhookForm(forms.ModelForm):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.com/…"}),
        help_text=_("It is kept encrypted, and is not shown again as a whole."),
    )
    kinds = _kinds()

    class Meta:
        model = Webhook
        fields = ("name", "url", "is_slack", "language", "kinds")

    def clean_url(self) -> str:
        url = self.cleaned_data["url"].strip()
        try:
            check_webhook_url(url)
        except RefusedAddress as exc:
            raise ValidationError(str(exc)) from exc
        return url


class NoticesForm(forms.ModelForm):
    """A user's own: the address, its language, and the kinds of e-mails wanted."""

    kinds = forms.MultipleChoiceField(
        label=_("Write to me when"),
        choices=TOLD_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = User
        fields = ("email", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = NoticeChoice.objects.filter(user=self.instance)
        self.initial["kinds"] = list(chosen.values_list("kind", flat=True))

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        if clean.get("kinds") and not clean.get("email"):
            self.add_error("email", _("Where should the e-mails go?"))
        return clean


class DecisionForm(forms.Form):
    """An approval names the terms that the page showed; declining needs a reason."""

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    comment = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
