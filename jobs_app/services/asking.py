"""Ask a model something; see which models there are."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from jobs_app import providers
from jobs_app.models import Provider

ASK_SECONDS = 120
LIST_MODELS_SECONDS = 5
CACHE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What a model said, how long it took, and how many tokens it wrote."""

    text: str
    seconds: float
    completion_tokens: int | None


def ask(
    *,
    provider: Provider,
    model: str,
    messages: list[dict[str, Any]],
    max_tokens: int = 300,
) -> Answer:
    """One answer, the likeliest one, so that the same question gives the same.

    Raises:
        ProviderUnavailable, ProviderRejected: each with a sentence for the user.
    """
    started = time.perf_counter()
    with providers.connect(provider, max_seconds=ASK_SECONDS) as client:
        reply = client.chat(model=model, messages=messages, max_tokens=max_tokens)
    seconds = time.perf_counter() - started
    return Answer(reply.text, seconds, reply.completion_tokens)


def base_models(provider: Provider) -> list[str]:
    """Models to start from, the provider's default first; read again every minute.

    Nothing in the API says which models can be tuned, so only the tuned ones are left
    out, by their names.

    Raises:
        ProviderUnavailable, ProviderRejected: each with a sentence for the user.
    """
    address = hashlib.sha256(provider.base_url.encode()).hexdigest()[:16]
    cache_key = f"base-models:{provider.pk}:{address}"
    names = cache.get(cache_key)
    if names is None:
        with providers.connect(provider, max_seconds=LIST_MODELS_SECONDS) as client:
            names = sorted(filter(_is_base, client.models()))
        cache.set(cache_key, names, CACHE_SECONDS)
    first = provider.default_base_model
    return [first, *(n for n in names if n != first)] if first else list(names)


def _is_base(name: str) -> bool:
    return not name.startswith("ft:") and ".ft-" not in name  # the second is Azure's
