"""Does what is asked for fit what the provider can do? Asked before money is spent, at
every door: a job is refused here, in words, and not an hour later by the provider."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from datasets_app.models import Method
from jobs_app.hyperparameters import AUTO
from jobs_app.models import FineTuningJob
from jobs_app.providers import Ability, is_able, profile_of


def check_fits(job: FineTuningJob) -> None:
    """Raise one ValidationError that names everything the provider would refuse."""
    if problems := [*_method(job), *_hyperparameters(job), *_suffix(job), *_seed(job)]:
        raise ValidationError(problems)


def _method(job: FineTuningJob) -> Iterator[str]:
    method = Method(job.dataset_version.dataset.method)
    is_dpo = method == Method.DPO and is_able(job.provider, Ability.DPO)
    if method != Method.SUPERVISED and not is_dpo:
        yield _(
            "%(provider)s cannot train on rows of this kind: %(method)s. Choose "
            "another provider or another dataset."
        ) % {"provider": job.provider, "method": method.label}


def _hyperparameters(job: FineTuningJob) -> Iterator[str]:
    bounds = profile_of(job.provider).bounds
    for name, value in job.hyperparameters.items():
        if value == AUTO:
            continue
        if name not in bounds:
            yield _("%(provider)s has no %(name)s: leave it empty.") % {
                "provider": job.provider,
                "name": name,
            }
        elif not bounds[name][0] <= value <= bounds[name][1]:
            yield _("At %(provider)s, %(name)s is between %(low)s and %(high)s.") % {
                "provider": job.provider,
                "name": name,
                "low": bounds[name][0],
                "high": bounds[name][1],
            }


def _suffix(job: FineTuningJob) -> Iterator[str]:
    longest = profile_of(job.provider).max_suffix_length
    if job.suffix and not is_able(job.provider, Ability.SUFFIX):
        yield _("%(provider)s takes no suffix: leave it empty.") % {
            "provider": job.provider
        }
    elif len(job.suffix) > longest:
        yield _("At %(provider)s a suffix has at most %(n)d characters.") % {
            "provider": job.provider,
            "n": longest,
        }


def _seed(job: FineTuningJob) -> Iterator[str]:
    if job.seed is not None and not is_able(job.provider, Ability.SEED):
        yield _("%(provider)s takes no seed: leave it empty.") % {
            "provider": job.provider
        }
