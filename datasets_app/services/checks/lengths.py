"""What is cut off rows that are longer than the dataset's model reads."""

from typing import Any

from datasets_app.chat_format import texts_of
from datasets_app.checks.cutting import cut_of
from datasets_app.models import Dataset, Example
from datasets_app.services.checks.sets import context_tokens
from datasets_app.token_counts import PER_REPLY, count_tokens


def add_cuts(dataset: Dataset, findings: list[Any]) -> None:
    """Give each finding its `cut`."""
    limit = context_tokens(dataset) - PER_REPLY
    pks = [finding.example_id for finding in findings]
    rows = Example.objects.filter(pk__in=pks).values_list("pk", "messages")
    cuts = {
        pk: cut_of(messages, [_size(each) for each in messages], limit)
        for pk, messages in rows.iterator(chunk_size=5)
        if isinstance(messages, list)
    }
    for finding in findings:
        finding.cut = cuts.get(finding.example_id)


def _size(message: Any) -> int:
    return count_tokens({"messages": [message]}, list(texts_of(message))) - PER_REPLY
