"""Stored sentences and events of a job in the viewer's language."""

from django import template

from jobs_app.event_words import EVENT_WORDS
from jobs_app.retold import retold

register = template.Library()


@register.filter
def told(text: str) -> str:
    return retold(text, EVENT_WORDS)
