"""What a failed job's page says: what happened, and what to do about it."""

from typing import Any

from jobs_app.event_words import EVENT_WORDS
from jobs_app.models import FineTuningJob
from jobs_app.providers.sentences import advice_for
from jobs_app.retold import retold


def error_sentence(job: FineTuningJob) -> str:
    """What the provider said, in the viewer's language and ended as a sentence."""
    error: dict[str, Any] = job.error
    text = retold(str(error.get("message") or "").strip(), EVENT_WORDS)
    return text if not text or text[-1] in ".!?" else f"{text}."


def what_to_do(job: FineTuningJob) -> str:
    return advice_for(job.error.get("code", ""))
