"""Stored sentences and events of a job in the viewer's language."""

from django import template

from datasets_app.retold import retold
from jobs_app.event_words import EVENT_WORDS

register = template.Library()


@register.filter
def told(text: str) -> str:
    return retold(text, EVENT_WORDS)
