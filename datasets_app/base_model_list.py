"""The base models that a new team's table begins with; from then on it is the team's.

Contexts are those of a training row. OpenAI's come from a copy of its pages of autumn
2026 and those of Azure; that of the built-in model from its own configuration.
"""

from dataclasses import dataclass
from datetime import date

O200K, CL100K, OWN = "o200k_base", "cl100k_base", "own"
OPENAI_SOURCE = "OpenAI's fine-tuning guide, as copied in autumn 2026"
BUILT_IN_SOURCE = "the model's own configuration (max_position_embeddings)"
AS_OF = date(2026, 11, 22)


@dataclass(frozen=True)
class KnownModel:
    name: str
    encoding: str
    training_context_tokens: int
    source: str = OPENAI_SOURCE


KNOWN_MODELS = (
    KnownModel("SmolLM2-135M-Instruct", OWN, 8_192, BUILT_IN_SOURCE),
    KnownModel("gpt-4.1-2025-04-14", O200K, 65_536),
    KnownModel("gpt-4.1-mini-2025-04-14", O200K, 65_536),
    KnownModel("gpt-4.1-nano-2025-04-14", O200K, 65_536),
    KnownModel("gpt-4o-2024-08-06", O200K, 65_536),
    KnownModel("gpt-4o-mini-2024-07-18", O200K, 65_536),
    KnownModel("o4-mini-2025-04-16", O200K, 65_536),
    KnownModel("gpt-3.5-turbo-0125", CL100K, 16_385),
    KnownModel("gpt-3.5-turbo-1106", CL100K, 16_385),
    KnownModel("gpt-3.5-turbo-0613", CL100K, 4_096),
    KnownModel("babbage-002", CL100K, 16_384),
    KnownModel("davinci-002", CL100K, 16_384),
)
