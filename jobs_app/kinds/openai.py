"""OpenAI itself."""

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.profile import GIB, Profile

PROFILE = Profile(
    kind="openai",
    name=_("OpenAI"),
    lists_metadata=True,
    base_url="https://api.openai.com/v1",
    base_url_example="https://api.openai.com/v1",
    base_url_help=_("Leave it empty for OpenAI's own address."),
    key_help=_(
        "On platform.openai.com under Settings → API keys. It needs write access to "
        "Files and to Fine-tuning."
    ),
    max_upload_bytes=8 * GIB,
    results_are_base64=True,
    methods=("supervised", "dpo"),
    has_pause=True,
)
