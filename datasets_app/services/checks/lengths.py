"""What is cut off rows that are longer than the dataset's model reads."""

from typing import Any

from datasets_app.checks.cutting import cut_of
from datasets_app.models import Dataset, Example
from datasets_app.services.checks.sets import context_tokens
from datasets_app.services.counting import counter_of
from datasets_app.token_counts import PER_REPLY


def add_cuts(dataset: Dataset, findings: list[Any]) -> None:
    """Give each finding its `cut`."""
    limit = context_tokens(dataset) - PER_REPLY
    pks = [finding.example_id for finding in findings]
    rows = Example.objects.filter(pk__in=pks).values_list("pk", "messages")
    counter = counter_of(dataset.base_model)
    cuts = {
        pk: cut_of(messages, counter.per_message({"messages": messages}), limit)
        for pk, messages in rows.iterator(chunk_size=5)
        if isinstance(messages, list)
    }
    for finding in findings:
        finding.cut = cuts.get(finding.example_id)
