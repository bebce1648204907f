"""The prices that a new team's book begins with, in USD per million tokens.

OpenAI's, as a mirror of its pricing page gave them in autumn 2026. Left out: o4-mini,
which was billed by the hour, and other providers, for which no list was found.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_noop

# Kept in English in each team's book, and told in the reader's language.
SOURCE = gettext_noop("a mirror of OpenAI's pricing page, autumn 2026")
NOTE = gettext_noop("Copied, not today's page: check it before you rely on it.")
SHUT = f"{gettext_noop('No longer trained.')} {NOTE}"
AS_OF = date(2026, 11, 22)


@dataclass(frozen=True)
class KnownPrice:
    """Training, and what the tuned model's input, cached input and output cost."""

    base_model: str
    training: str
    answering: tuple[str | None, str | None, str | None] = (None, None, None)
    note: str = NOTE

    def columns(self) -> dict[str, Decimal | None]:
        names = ("input", "cached_input", "output")
        columns = {
            f"usd_per_million_{name}": None if value is None else Decimal(value)
            for name, value in zip(names, self.answering, strict=True)
        }
        return {"usd_per_million_tokens": Decimal(self.training), **columns}


KNOWN_PRICES = (
    KnownPrice("gpt-4.1", "25", ("3", "0.75", "12")),
    KnownPrice("gpt-4.1-mini", "5", ("0.8", "0.2", "3.2")),
    KnownPrice("gpt-4.1-nano", "1.5", ("0.2", "0.05", "0.8"), SHUT),
    KnownPrice("gpt-4o", "25", ("3.75", "1.875", "15")),
    KnownPrice("gpt-4o-mini", "3", ("0.3", "0.15", "1.2")),
    KnownPrice("gpt-3.5-turbo", "8", ("3", None, "6"), SHUT),
    KnownPrice("davinci-002", "6", note=SHUT),
    KnownPrice("babbage-002", "0.4", note=SHUT),
)
