"""What a person may ask a job's models, and which models those are."""

import json
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from datasets_app.models import DatasetVersion
from jobs_app.models import FineTuningJob

NEWEST = "newest"
BASE = "base"
LONGEST_LINE = 1024 * 1024  # the page needs one short text, not a 50 MB row


@dataclass(frozen=True)
class AskableModel:
    """`key` travels in the form: a model's name from a form would be anybody's."""

    key: str
    label: str
    name: str


def base_model(job: FineTuningJob) -> AskableModel:
    return AskableModel(BASE, _("Base model"), job.base_model)


def tuned_models(job: FineTuningJob) -> list[AskableModel]:
    """The newest first, under a key that stays while newer ones come.

    So whoever asks "the newest" goes on doing so, and whoever chose an older
    checkpoint keeps that.
    """
    older = [
        AskableModel(
            key=str(checkpoint.pk),
            label=_("Checkpoint at step %(step)s") % {"step": checkpoint.step_number},
            name=checkpoint.name,
        )
        for checkpoint in reversed(job.checkpoints.all())
    ]
    if job.fine_tuned_model:
        tuned = AskableModel(NEWEST, _("Tuned model"), job.answering_model)
        return [tuned, *older]
    return [replace(older[0], key=NEWEST), *older[1:]] if older else []


def askable_model(job: FineTuningJob, key: str) -> AskableModel | None:
    """The model of this job that `key` stands for."""
    known = [base_model(job), *tuned_models(job)]
    return next((model for model in known if model.key == key), None)


def first_system_prompt(version: DatasetVersion) -> str:
    """The system prompt the version's first row was written for; "" if it has none."""
    try:
        with version.training_file.open("rb") as lines:
            first = json.loads(lines.readline(LONGEST_LINE))
        message = first["messages"][0]
        role, content = message["role"], message["content"]
    except (OSError, ValueError, LookupError, TypeError):
        return ""  # a missing or odd file must not take the page down
    is_system = role in {"system", "developer"} and isinstance(content, str)
    return content if is_system else ""
