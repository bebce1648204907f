"""What a provider's page tells: its kind's manners, its abilities, a check's steps."""

from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from jobs_app.models import Provider, ProviderCheck, StepResult
from jobs_app.providers import Ability, is_able, profile_of
from jobs_app.retold import retold
from jobs_app.services.compatibility import STEP_NAMES

# A result as one of the states that pages have an icon and a colour for.
STATE_OF = {
    StepResult.WORKS: "succeeded",
    StepResult.FAILS: "failed",
    StepResult.UNCLEAR: "paused",
    StepResult.LEFT_OUT: "cancelled",
}


@dataclass(frozen=True)
class Line:
    """A row of a table: what, how it is (as state and label), and why."""

    name: str | Promise
    state: str
    label: str | Promise
    words: str = ""


def ability_lines(provider: Provider) -> list[Line]:
    return [_ability_line(provider, ability) for ability in Ability]


def _ability_line(provider: Provider, ability: Ability) -> Line:
    is_found = provider.abilities.get(ability) is not None
    result = StepResult.WORKS if is_able(provider, ability) else StepResult.FAILS
    return Line(
        name=ability.label,
        state=STATE_OF[result],
        label=result.label,
        words=_("tried here") if is_found else _("said of this kind"),
    )


def step_lines(check: ProviderCheck) -> list[Line]:
    """The steps behind a check, the one it is at, and those before it."""
    behind = [_step_line(each) for each in check.results]
    ahead = list(STEP_NAMES.values())[len(behind) :]
    lines = [Line(name, "draft", _("still to come")) for name in ahead]
    if lines and check.is_open:
        state = "pending" if check.status == "pending" else "running"
        lines[0] = Line(ahead[0], state, _("at work"))
    return behind + lines


def _step_line(result: dict[str, str]) -> Line:
    kind = StepResult(result["result"])
    name = STEP_NAMES.get(result["step"], result["step"])
    return Line(name, STATE_OF[kind], kind.label, retold(result["words"]))


def facts(provider: Provider) -> list[tuple[str, str]]:
    """How its kind is spoken to, for whoever wonders what leaves."""
    profile = profile_of(provider)
    lines = [
        (_("Base URL"), provider.base_url),
        (
            _("Hyperparameters"),
            _("at the top of the request")
            if profile.hyperparameters_at_top
            else _("inside the method"),
        ),
        (_("Largest file"), filesizeformat(profile.max_file_bytes)),
    ]
    if profile.max_upload_bytes:
        lines.append((_("In parts"), filesizeformat(profile.max_upload_bytes)))
    if profile.api_version:
        lines.append((_("API version"), provider.api_version or profile.api_version))
    if profile.max_suffix_length:
        lines.append((_("Longest suffix"), str(profile.max_suffix_length)))
    return lines
