"""What a training will cost: billable tokens × epochs × price.

Billable are the tokens of the training rows, each cut at the model's context; the
validation rows are read for nothing at OpenAI. The built-in server costs only time.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.timezone import now

from datasets_app import services as datasets
from datasets_app.models import BaseModel, DatasetVersion, RunStatus, VersionTokens
from jobs_app.auto_epochs import built_in_epochs, cookbook_epochs
from jobs_app.hyperparameters import AUTO
from jobs_app.models import OPEN, FineTuningJob, Price, Provider, usd
from jobs_app.providers import profile_of
from jobs_app.services.prices import find_price

# Estimates completed in one poll: a count that never comes must not hold it up.
COMPLETED_AT_ONCE = 20


@dataclass(frozen=True)
class Estimate:
    """What is known so far: the tokens of a big version are counted by a worker.

    `model` is None where the team's table of base models has none so named; the tokens
    are gpt-4o's then, and no context limits them.
    """

    provider: Provider
    base_model: str
    tokens: VersionTokens
    model: BaseModel | None
    price: Price | None
    n_epochs: int
    is_guessed: bool  # the provider will choose the epochs

    @property
    def is_counted(self) -> bool:
        return self.tokens.status == RunStatus.FINISHED

    @property
    def is_free(self) -> bool:
        return not profile_of(self.provider).costs_money

    @property
    def is_exact(self) -> bool:
        """Are the tokens counted as this very model counts them?"""
        return self.model is not None and datasets.has_tokenizer(self.model)

    @property
    def n_tokens(self) -> int | None:
        if not self.is_counted:
            return None
        return self.tokens.n_billable_tokens * self.n_epochs

    @property
    def usd_per_million_tokens(self) -> Decimal | None:
        if self.is_free:
            return Decimal(0)
        return None if self.price is None else self.price.usd_per_million_tokens

    @property
    def usd(self) -> Decimal | None:
        return usd(self.n_tokens, self.usd_per_million_tokens)

    def as_fields(self) -> dict[str, Any]:
        """What a job keeps of it."""
        return {
            "estimated_epochs": self.n_epochs if self.is_counted else None,
            "estimated_tokens": self.n_tokens,
            "usd_per_million_tokens": self.usd_per_million_tokens,
        }


def estimate(
    *,
    provider: Provider,
    dataset_version: DatasetVersion,
    base_model: str,
    hyperparameters: dict[str, Any],
) -> Estimate:
    """A small version is counted here and now; a big one's tokens may be pending."""
    model = datasets.base_model_named(provider.team, base_model)
    tokens = datasets.tokens_of(dataset_version, model)
    asked = hyperparameters.get("n_epochs", AUTO)
    is_guessed = asked == AUTO
    return Estimate(
        provider=provider,
        base_model=base_model,
        tokens=tokens,
        model=model,
        price=find_price(provider, base_model),
        n_epochs=_auto_epochs(provider, tokens, hyperparameters)
        if is_guessed
        else asked,
        is_guessed=is_guessed,
    )


def _auto_epochs(
    provider: Provider, tokens: VersionTokens, hyperparameters: dict[str, Any]
) -> int:
    n_rows = tokens.version.n_training_rows
    if profile_of(provider).epochs_rule == "cookbook":
        return cookbook_epochs(n_rows)
    batch_size = hyperparameters.get("batch_size", AUTO)
    return built_in_epochs(
        n_rows,
        tokens.n_training_tokens,
        None if batch_size == AUTO else batch_size,
    )


def estimate_of(job: FineTuningJob) -> Estimate:
    """The estimate as it would be made now."""
    return estimate(
        provider=job.provider,
        dataset_version=job.dataset_version,
        base_model=job.base_model,
        hyperparameters=job.hyperparameters,
    )


def complete_estimates(provider: Provider) -> None:
    """Store the tokens that were still being counted when a job was launched."""
    is_new = Q(status__in=OPEN) | Q(finished_at__gte=now() - timedelta(days=1))
    jobs = FineTuningJob.objects.filter(is_new, provider=provider)
    waiting = jobs.filter(estimated_tokens=None).exclude(launched_at=None)
    waiting = waiting.select_related("provider", "dataset_version")
    for job in waiting[:COMPLETED_AT_ONCE]:
        _complete(job)


def _complete(job: FineTuningJob) -> None:
    found = estimate_of(job)
    if not found.is_counted:
        return
    fields = found.as_fields()
    fields.pop("usd_per_million_tokens")  # that of the launch stays
    waiting = FineTuningJob.objects.filter(pk=job.pk, estimated_tokens=None)
    waiting.update(**fields)
