"""A selection in a page's forms."""

from django import template
from django.http import QueryDict

from datasets_app.services.selection import Selection

register = template.Library()


@register.filter
def filter_pairs(selection: Selection) -> list[tuple[str, str]]:
    """The names and values of the filter, without the rows that were ticked in it."""
    query = QueryDict(selection.as_query())
    return [
        (name, value)
        for name in query
        if name != "pks"
        for value in query.getlist(name)
    ]
