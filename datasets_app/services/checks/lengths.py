"""What is cut off rows that are longer than the dataset's model reads."""

from typing import Any

from datasets_app.chat_format import all_messages
from datasets_app.checks.cutting import Cut, cut_of
from datasets_app.models import Dataset, Example
from datasets_app.services.checks.sets import context_tokens
from datasets_app.services.counting import counter_of
from datasets_app.services.examples import record_of
from datasets_app.token_counts import Counter

ROWS_AT_ONCE = 5  # these are the longest rows there are


def add_cuts(dataset: Dataset, findings: list[Any]) -> None:
    """Give each finding its `cut`."""
    limit, counter = context_tokens(dataset), counter_of(dataset.base_model)
    rows = Example.objects.filter(pk__in=[each.example_id for each in findings])
    cuts = {
        example.pk: _cut(example, limit, counter)
        for example in rows.defer("text", "problems").iterator(ROWS_AT_ONCE)
    }
    for finding in findings:
        finding.cut = cuts.get(finding.example_id)


def _cut(example: Example, limit: int, counter: Counter) -> Cut | None:
    """What tools cost comes before the messages."""
    record = record_of(example)
    sizes = counter.per_message(record)
    left = limit - max(0, example.n_tokens - sum(sizes))
    return cut_of(all_messages(record), sizes, left)
