"""Stored sentences in the viewer's language."""

from django import template

from datasets_app import retold as sentences

register = template.Library()


@register.filter
def retold(text: str) -> str:
    return sentences.retold(text)
