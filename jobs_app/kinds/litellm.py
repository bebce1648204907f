"""A LiteLLM proxy, which hands jobs on to OpenAI, Azure or Vertex."""

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.azure import AZURE_WORDS
from jobs_app.kinds.profile import Profile

PROFILE = Profile(
    kind="litellm",
    name=_("LiteLLM proxy"),
    base_url_example="https://litellm.example.org/v1",
    base_url_help=_(
        "The proxy's own address. Fine-tuning is part of LiteLLM Enterprise and needs "
        "finetune_settings and files_settings in its configuration."
    ),
    key_help=_("A virtual key: the proxy's administrator makes one."),
    extra_body_example='{"custom_llm_provider": "azure"}',
    # Without managed files, the proxy must be told in every call whom it stands for.
    extra_body={"custom_llm_provider": "openai"},
    companions=("custom_llm_provider",),
    methods=("supervised", "dpo"),
    status_words=AZURE_WORDS,
)
