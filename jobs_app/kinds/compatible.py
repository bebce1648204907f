"""Any other server with OpenAI's fine-tuning API; a check tells what it can do."""

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.azure import AZURE_WORDS
from jobs_app.kinds.profile import Profile

# Words of servers that took over the calls, but not the vocabulary.
OTHER_WORDS = {
    "created": "queued",
    "validating": "validating_files",
    "validated": "queued",
    "started": "running",
    "in_progress": "running",
    "training": "running",
    "pause": "paused",
    "success": "succeeded",
    "completed": "succeeded",
    "error": "failed",
    "failed_validation": "failed",
    "cancellation_requested": "running",
    "cancelling": "running",
}

PROFILE = Profile(
    kind="compatible",
    name=_("other compatible server"),
    base_url_help=_("The address before /files and /fine_tuning, often ending in /v1."),
    key_help=_("Whoever runs the server gives you one."),
    extra_body_example='{"custom_field": "value"}',
    status_words={**OTHER_WORDS, **AZURE_WORDS},
    has_pause=True,
    methods=("supervised", "dpo"),
)
