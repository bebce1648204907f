"""One model has several names: with a date, without it, tuned."""

import re

DATE = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{4})$")


def base_name(name: str) -> str:
    """The base model's name within that of a tuned one; other names as they are.

    OpenAI's begin with `ft:BASE:`, Azure's are `BASE.ft-…`.
    """
    if name.startswith("ft:"):
        return name.split(":")[1]
    return name.partition(".ft-")[0]


def family(name: str) -> str:
    """The name without the date of its snapshot: gpt-4o of gpt-4o-2024-08-06."""
    return DATE.sub("", base_name(name))


def best_name(wanted: str, names: list[str]) -> str | None:
    """The one among the names that means the wanted model: itself, or its family."""
    if base_name(wanted) in names:
        return base_name(wanted)
    alike = [name for name in names if family(name) == family(wanted)]
    return max(alike, default=None)
