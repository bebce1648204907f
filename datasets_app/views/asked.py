"""What an address asks of a version: it comes from anyone, nonsense is left out."""

from dataclasses import dataclass

from django.http import QueryDict

from datasets_app.models import Split
from datasets_app.services.version_diffs import KINDS


@dataclass(frozen=True, slots=True)
class Asked:
    """`split` and `line` say where to begin; `kind`, of differences, may be empty."""

    split: str = Split.TRAIN.value
    line: int = 1
    kind: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        split, kind = query.get("split", ""), query.get("kind", "")
        return cls(
            split=split if split in Split.values else Split.TRAIN.value,
            line=max(1, whole_number(query.get("line", "")) or 1),
            kind=kind if kind in KINDS else "",
        )


def whole_number(text: str) -> int | None:
    """Of at most nine digits, which every database holds; None if it is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if is_number else None
