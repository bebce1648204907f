"""The members of one team, as its owners edit them in the admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams_app.models import Membership, Role, User
from teams_app.scoped_admin import LabelledFormSet


class MembershipForm(forms.ModelForm):
    """A member is added by exact user name: a list of users would show all of them."""

    username = forms.CharField(label=gettext_lazy("username"), max_length=150)

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["username"].disabled = True
            self.fields["username"].initial = self.instance.user.get_username()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.instance.pk and "username" in cleaned:
            self.instance.user = self._new_member(cleaned["username"])
        return cleaned

    def _new_member(self, username: str) -> User:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise ValidationError(
                {
                    "username": _(
                        "No user has this name. Check the spelling, or ask whoever "
                        "runs this site to make the account first."
                    )
                }
            )
        return user


class MembershipFormSet(LabelledFormSet):
    """Nobody is in a team twice, and no team is left without an owner."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        staying = [form for form in self.forms if self._stays(form)]
        self._refuse_doubles([form.instance.user for form in staying])
        if not any(form.cleaned_data["role"] == Role.OWNER for form in staying):
            raise ValidationError(
                _(
                    "A team needs an owner. "
                    "Make somebody else an owner before you take this role away."
                )
            )

    def _stays(self, form: forms.ModelForm) -> bool:
        is_row = bool(form.instance.pk) or form.has_changed()
        return is_row and not form.cleaned_data.get(DELETION_FIELD_NAME)

    def _refuse_doubles(self, users: list[User]) -> None:
        for user in users:
            if users.count(user) > 1:
                raise ValidationError(
                    _("“%(user)s” stands here twice. Keep one role for each member.")
                    % {"user": user}
                )
