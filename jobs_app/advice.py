"""What to do about a failed job, by the error code of the provider's contract."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs_app.event_words import EVENT_WORDS
from jobs_app.models import FineTuningJob
from jobs_app.retold import retold

MEND_ROWS: Promise = _(
    "Open the dataset, mend the rows that the message names, freeze a new version and "
    "launch it."
)
CHECK_KEY: Promise = _("An owner of the team can enter a new key for this provider.")
ADVICE: dict[str, Promise] = {
    "invalid_n_examples": _(
        "Add examples until the training part has at least 10 rows, freeze a new "
        "version and launch it."
    ),
    "invalid_training_file": MEND_ROWS,
    "invalid_validation_file": MEND_ROWS,
    "invalid_file_format": MEND_ROWS,
    "training_not_available": _(
        "This organisation may no longer fine-tune there. Launch the same version on "
        "another provider, such as the built-in tuning server."
    ),
    "model_not_found": _(
        "Launch again with a base model that this provider can tune; the form "
        "suggests them."
    ),
    "insufficient_quota": _(
        "The account has no credit or has reached its limit. Raise it at the "
        "provider, then launch again."
    ),
    "invalid_api_key": CHECK_KEY,
    "server_error": _("The fault was the provider's. Launch the same again."),
}
LAUNCH_AGAIN: Promise = _("When the cause is mended, launch the same again.")


def error_sentence(job: FineTuningJob) -> str:
    """What the provider said, in the viewer's language and ended as a sentence."""
    error: dict[str, Any] = job.error or {}
    text = retold(str(error.get("message") or "").strip(), EVENT_WORDS)
    return text if not text or text[-1] in ".!?" else f"{text}."


def what_to_do(job: FineTuningJob) -> str:
    code = str((job.error or {}).get("code") or "")
    return str(ADVICE.get(code, LAUNCH_AGAIN))
