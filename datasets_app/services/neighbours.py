"""The example after this one, in the order and under the filter of a list."""

from django.db.models import Q

from datasets_app.models import Example
from datasets_app.services.selection import SORTS, Selection


def next_after(example: Example, selection: Selection) -> int | None:
    """The key of the next example; None at the end of the list.

    Asked before the example changes, which may move it or drop it from the list.
    """
    rows = selection.examples(example.dataset)
    return rows.filter(_behind(example, selection)).values_list("pk", flat=True).first()


def _behind(example: Example, selection: Selection) -> Q:
    behind, equal = Q(), Q()
    for column in SORTS[selection.sort]:
        name = column.removeprefix("-")
        way = "lt" if column.startswith("-") else "gt"
        value = getattr(example, name)
        behind |= equal & Q((f"{name}__{way}", value))
        equal &= Q((name, value))
    return behind
