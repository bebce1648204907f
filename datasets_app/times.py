"""Times as forms send them back."""

from datetime import datetime

from django.utils.dateparse import parse_datetime


def read_time(text: str) -> datetime | None:
    """None for what is no time, or none that exists."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None
