from django import forms
from django.utils.translation import gettext_lazy as _

from teams_app.models import ApiToken


class TokenForm(forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ("name",)
        help_texts = {"name": _("What will use it, for example “nightly script”.")}
