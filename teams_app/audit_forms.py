"""The filters of the audit log: a whitelist; what is not in it filters nothing."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from teams_app.models import AuditEntry, Role, Team, Thing, Verb

WHO = pgettext_lazy("who did it", "Who")
AT_ONCE = 1000  # so many transactions may commit in another order than they began
# Beyond them, the day after or the same moment elsewhere is no date any more.
FIRST, LAST = date(1970, 1, 1), date(9000, 1, 1)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=[MinValueValidator(FIRST), MaxValueValidator(LAST)],
    )


class AuditForm(forms.Form):
    team = forms.ModelChoiceField(
        Team.objects.none(), label=_("Team"), required=False, empty_label=_("any team")
    )
    who = forms.CharField(
        label=WHO,
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "list": "audit-names", "placeholder": WHO}
        ),
    )
    verb = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("anything")), *Verb.choices]
    )
    thing = forms.ChoiceField(
        label=_("Object"),
        required=False,
        choices=[("", _("any object")), *Thing.choices],
    )
    since = _day(_("From"))
    until = _day(_("to"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.visible_to(user, Role.OWNER)
        field: Any = self.fields["team"]
        field.queryset = teams
        # One team at a time: an index then has its lines in the order of the page.
        self.only_team = None if user.is_superuser else teams.first()
        if self.only_team:
            field.empty_label = None

    def entries(self) -> QuerySet[AuditEntry]:
        """Those of the team that is chosen, else of the user's first one; a superuser's
        choice of none means all."""
        self.is_valid()
        clean = self.cleaned_data
        exact = {name: clean.get(name) for name in ("who", "verb", "thing")}
        exact["team"] = clean.get("team") or self.only_team
        chosen = {name: value for name, value in exact.items() if value}
        entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(**chosen)
        if day := clean.get("since"):
            entries = _from(entries, _begin(day))
        if day := clean.get("until"):
            entries = _until(entries, _begin(day + timedelta(days=1)))
        return entries


def _from(entries: QuerySet[AuditEntry], moment: datetime) -> QuerySet[AuditEntry]:
    """Lines are numbered as time goes, so that a key leads to where a day begins."""
    first = _first_since(moment)
    if first is None:
        return entries.none()
    return entries.filter(pk__gte=first - AT_ONCE, created_at__gte=moment)


def _until(entries: QuerySet[AuditEntry], moment: datetime) -> QuerySet[AuditEntry]:
    if (first := _first_since(moment)) is not None:
        entries = entries.filter(pk__lt=first + AT_ONCE)
    return entries.filter(created_at__lt=moment)


def _first_since(moment: datetime) -> int | None:
    since = AuditEntry.objects.filter(created_at__gte=moment).order_by("created_at")
    return since.values_list("pk", flat=True).first()


def _begin(day: Any) -> datetime:
    return make_aware(datetime.combine(day, time.min))
