"""The kinds of providers: a module each, found by being in this folder.

To add one, write a module with a `PROFILE` here.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from jobs_app.kinds.profile import STATUS_WORDS, Profile, Text

__all__ = ["PROFILES", "STATUS_WORDS", "Profile", "choices", "profile_of"]

NO_KIND = {"profile"}
# Those that the site itself knows by name.
BUILT_IN = "built_in"
OPENAI = "openai"
COMPATIBLE = "compatible"  # any other


class OfAKind(Protocol):
    kind: str


def _profiles() -> dict[str, Profile]:
    names = [each.name for each in iter_modules(__path__) if each.name not in NO_KIND]
    found = [import_module(f"{__name__}.{name}").PROFILE for name in names]
    found.sort(key=lambda profile: (profile.kind == COMPATIBLE, profile.kind))
    return {profile.kind: profile for profile in found}


PROFILES = _profiles()


def choices() -> list[tuple[str, Text]]:
    """For a model's field. A function, so that no migration lists the kinds."""
    return [(profile.kind, profile.name) for profile in PROFILES.values()]


def profile_of(provider: OfAKind) -> Profile:
    """How to speak to this provider; a kind whose module is gone is any other's."""
    return PROFILES.get(provider.kind) or PROFILES[COMPATIBLE]
