"""What one provider can do: what a check found, else what its kind is said to do."""

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from jobs_app.kinds import Profile, profile_of
from jobs_app.models import Provider


class Ability(TextChoices):
    """What a provider may or may not have; forms and pages hide what it has not."""

    METADATA = "metadata", _("metadata")
    LAUNCH_KEY = "launch_key", _("jobs keep our launch key")
    VALIDATION_FILE = "validation_file", _("validation file")
    SUFFIX = "suffix", _("suffix")
    SEED = "seed", _("seed")
    DPO = "dpo", _("preference training (DPO)")
    EVENTS = "events", _("events")
    CHECKPOINTS = "checkpoints", _("checkpoints")
    CANCEL = "cancel", _("cancel")
    PAUSE = "pause", _("pause and resume")
    CHAT = "chat", _("chat")
    UPLOADS = "uploads", _("uploads in parts")


def _said(profile: Profile) -> Mapping[str, bool]:
    return {
        Ability.METADATA: profile.keeps_metadata,
        Ability.LAUNCH_KEY: profile.keeps_metadata,
        Ability.VALIDATION_FILE: profile.takes_validation_file,
        Ability.SUFFIX: profile.max_suffix_length > 0,
        Ability.SEED: profile.takes_seed,
        Ability.DPO: "dpo" in profile.methods,
        Ability.EVENTS: profile.has_events,
        Ability.CHECKPOINTS: profile.has_checkpoints,
        Ability.CANCEL: True,
        Ability.PAUSE: profile.has_pause,
        Ability.CHAT: True,
        Ability.UPLOADS: profile.max_upload_bytes > 0,
    }


def is_able(provider: Provider, ability: Ability) -> bool:
    found = provider.abilities.get(ability)
    return _said(profile_of(provider))[ability] if found is None else bool(found)
