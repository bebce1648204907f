"""The filters of the audit log: a whitelist; what is not in it filters nothing."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from teams_app.models import AuditEntry, Role, Team, Thing, Verb


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class AuditForm(forms.Form):
    team = forms.ModelChoiceField(
        Team.objects.none(), label=_("Team"), required=False, empty_label=_("any team")
    )
    who = forms.CharField(
        label=_("Who"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "list": "audit-names", "placeholder": _("Who")}
        ),
    )
    verb = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("anything")), *Verb.choices]
    )
    thing = forms.ChoiceField(
        label=_("Object"), required=False, choices=[("", _("any")), *Thing.choices]
    )
    since = _day(_("From"))
    until = _day(_("to"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.visible_to(user, Role.OWNER)
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        self.is_valid()
        clean = self.cleaned_data
        exact = {name: clean.get(name) for name in ("team", "who", "verb", "thing")}
        entries = entries.filter(**{name: each for name, each in exact.items() if each})
        if day := clean.get("since"):
            entries = entries.filter(created_at__gte=_begin(day))
        if day := clean.get("until"):
            entries = entries.filter(created_at__lt=_begin(day + timedelta(days=1)))
        return entries


def _begin(day: Any) -> datetime:
    return make_aware(datetime.combine(day, time.min))
