"""Azure OpenAI (Foundry) by its /openai/v1 address, which is OpenAI's own API."""

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.profile import MIB, STATUS_WORDS, Profile

AZURE_WORDS = {**STATUS_WORDS, "pending": "queued", "pausing": "running"}
DEPLOY_STEP = _(
    "Azure answers with a model only once it is deployed: in the Foundry portal, open "
    "the fine-tuned model and choose Deploy. Give the deployment the model's own name, "
    "or another one and enter that on the job's page. To compare, the base model needs "
    "a deployment of its own name. Hosting costs money by the hour until you delete it."
)
# Without a training type Azure claims that the base model cannot be tuned.
TRAINING_TYPE = {"trainingType": "globalstandard"}

PROFILE = Profile(
    kind="azure",
    name=_("Azure OpenAI"),
    base_url_example="https://RESOURCE.openai.azure.com/openai/v1",
    base_url_help=_(
        "The resource's endpoint from the Azure portal, followed by /openai/v1."
    ),
    key_help=_(
        "In the Azure portal on the resource's page, under Resource management → Keys "
        "and Endpoint."
    ),
    extra_body_example='{"trainingType": "developerTier"}',
    key_header="api-key",
    files_begin_with_bom=True,
    max_file_bytes=512 * MIB - 1,
    methods=("supervised", "dpo"),
    extra_body=TRAINING_TYPE,
    max_suffix_length=18,
    status_words=AZURE_WORDS,
    has_pause=True,
    deploy_step=DEPLOY_STEP,
)
