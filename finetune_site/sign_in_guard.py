from axes.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SignInGuardConfig(AppConfig):
    """django-axes, with a name that says what it does."""

    verbose_name = _("Sign-in guard")
