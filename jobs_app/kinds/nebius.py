"""Nebius Token Factory: open models, tuned as LoRA adapters or whole."""

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.profile import GIB, Profile

PROFILE = Profile(
    kind="nebius",
    name=_("Nebius Token Factory"),
    base_url="https://api.tokenfactory.nebius.com/v1",
    base_url_example="https://api.tokenfactory.nebius.com/v1",
    base_url_help=_("Leave it empty for Nebius' own address."),
    key_help=_("On tokenfactory.nebius.com under API keys."),
    extra_body_example='{"hyperparameters": {"lora_r": 16, "learning_rate": 0.0001}}',
    max_file_bytes=5 * GIB,
    # Both places at once are refused, and so is the method object.
    hyperparameters_at_top=True,
    # Whole models are the default there, and only adapters are served by the token.
    extra_body={"hyperparameters": {"lora": True}},
    # The contract has `learning_rate` here, not a multiplier of it.
    bounds={"n_epochs": (1, 20), "batch_size": (1, 32)},
    deploy_step=_(
        "Nebius serves a tuned model only once it is added to your models: on its page "
        "of the fine-tuning job choose a checkpoint and deploy it. Adapters of some "
        "base models are then served by the token; others cost by the hour."
    ),
)
