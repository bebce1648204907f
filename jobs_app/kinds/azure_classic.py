"""Azure OpenAI as it was before /openai/v1: an API version in every address, and chat
by the name of a deployment."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.azure import PROFILE as AZURE

PROFILE = replace(
    AZURE,
    kind="azure_classic",
    name=_("Azure OpenAI with an API version"),
    base_url_example="https://RESOURCE.openai.azure.com",
    base_url_help=_("The resource's endpoint from the Azure portal, without a path."),
    api_version="2025-04-01-preview",
)
