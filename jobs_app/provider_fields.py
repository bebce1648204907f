"""Which fields of a launch mean something to one provider: for the portal's form, which
leaves the others out, and the admin's, which hides them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app.hyperparameters import KNOWN
from jobs_app.kinds.profile import Text
from jobs_app.models import Provider
from jobs_app.providers import Ability, is_able, profile_of

ASKED_BY_ABILITY = {"suffix": Ability.SUFFIX, "seed": Ability.SEED}
_VALIDATION_STAYS = gettext_lazy(
    "This provider takes no validation file, so the validation rows stay here. They "
    "can still be asked as held-out questions."
)


@dataclass(frozen=True)
class ProviderFields:
    """What one provider takes."""

    ranges: dict[str, str]  # of each hyperparameter it knows; "" where none is of use
    asked: tuple[str, ...]  # what else it takes
    leaves_out_validation: bool
    deploy_step: Text

    @property
    def lacking(self) -> list[str]:
        taken = {*self.ranges, *self.asked}
        return [name for name in (*KNOWN, *ASKED_BY_ABILITY) if name not in taken]


def fields_of(provider: Provider) -> ProviderFields:
    profile = profile_of(provider)
    able = ASKED_BY_ABILITY.items()
    return ProviderFields(
        ranges={n: _range(*profile.bounds[n]) for n in KNOWN if n in profile.bounds},
        asked=tuple(name for name, ability in able if is_able(provider, ability)),
        leaves_out_validation=not is_able(provider, Ability.VALIDATION_FILE),
        deploy_step=profile.deploy_step,
    )


def _range(low: float, high: float) -> str:
    return f"{low:n}–{high:n}" if isinstance(low, int) else ""


def told_of(provider: Provider, labels: dict[str, str]) -> str:
    """What the admin says below the choice of a provider.

    Args:
        labels: what each field is called.
    """
    fields = fields_of(provider)
    sentences: list[Text] = []
    if names := ", ".join(labels[name] for name in fields.lacking):
        told = _("Not asked here, because %(provider)s takes none of it: %(fields)s.")
        sentences.append(told % {"provider": provider, "fields": names})
    if fields.leaves_out_validation:
        sentences.append(_VALIDATION_STAYS)
    if fields.deploy_step:
        sentences.append(f"{_('After the training:')} {fields.deploy_step}")
    return " ".join(map(str, sentences)) or _("It takes all that is asked below.")
