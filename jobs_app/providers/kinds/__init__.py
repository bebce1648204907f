"""The kinds of providers: a module each, found by being in this folder.

To add one, write a module with a `PROFILE` here, and its line in `ProviderKind`.
"""

from importlib import import_module
from pkgutil import iter_modules

from jobs_app.models import Provider
from jobs_app.providers.kinds.profile import STATUS_WORDS, Profile

__all__ = ["PROFILES", "STATUS_WORDS", "Profile", "profile_of"]

NO_KIND = {"profile"}
ANY_OTHER = "compatible"


def _profiles() -> dict[str, Profile]:
    names = [each.name for each in iter_modules(__path__) if each.name not in NO_KIND]
    found = [import_module(f"{__name__}.{name}").PROFILE for name in names]
    return {profile.kind: profile for profile in found}


PROFILES = _profiles()


def profile_of(provider: Provider) -> Profile:
    """How to speak to this provider; a kind whose module is gone is any other's."""
    return PROFILES.get(provider.kind) or PROFILES[ANY_OTHER]
