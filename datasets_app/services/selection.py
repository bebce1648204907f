"""Which examples of a dataset somebody means: the list, an export, a bulk edit.

A selection comes from an address or from a stored row, and so from anyone: it knows
its own few fields and ignores every other key.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.db.models.lookups import Contains
from django.http import QueryDict

from datasets_app import exact_json
from datasets_app.database import text_index
from datasets_app.grams import query_grams
from datasets_app.models import (
    Comment,
    Dataset,
    Example,
    Finding,
    ReviewState,
    Split,
    UnindexedText,
    VersionRow,
)

# What the list can be sorted by: the columns of an index, and so quick at any depth.
# Ids grow as positions do: rows are only ever added behind the last one.
SORTS = {
    "position": ("id",),
    "-position": ("-id",),
    "tokens": ("n_tokens", "id"),
    "-tokens": ("-n_tokens", "-id"),
    "changed": ("updated_at", "id"),
    "-changed": ("-updated_at", "-id"),
    "findings": ("n_findings", "id"),
    "-findings": ("-n_findings", "-id"),
}
DEFAULT_SORT = "position"
ANY, NONE = "any", "none"
_ALLOWED: dict[str, Any] = {
    "state": ReviewState.values,
    "split": Split.values,
    "sort": SORTS,
    "pinned": ("yes", "no"),
    "comments": (ANY, NONE),
}
_NUMBERS = (
    "assignee",
    "changed_by",
    "import_run",
    "version",
    "min_tokens",
    "max_tokens",
)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_WORD = re.compile(r'"([^"]+)"?|(\S+)')
MAX_WORDS = 10


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter: the examples that fit all of its fields; an empty field fits any.

    `q` is words, all of which occur in the text, and "phrases in quotes". `finding` is
    the code of a finding, or "any"; `problem` that of a problem, "any" or "none";
    `comments` "any" or "none"; `pinned` "yes" or "no"; `tag` is a tag's name,
    `assignee` and `changed_by` are users' ids, `import_run` an import's, `version` a
    version's; `pks` are rows that were ticked one by one.
    """

    q: str = ""
    state: str = ""
    split: str = ""
    tag: str = ""
    finding: str = ""
    problem: str = ""
    assignee: str = ""
    changed_by: str = ""
    import_run: str = ""
    version: str = ""
    min_tokens: str = ""
    max_tokens: str = ""
    comments: str = ""
    pinned: str = ""
    sort: str = DEFAULT_SORT
    pks: tuple[int, ...] = field(default=())

    @classmethod
    def of(cls, values: Mapping[str, Any] | QueryDict) -> "Selection":
        """From an address or a stored row; what makes no sense is left out."""
        known = {f.name: values.get(f.name) for f in fields(cls) if f.name != "pks"}
        texts = {k: _clean(v) for k, v in known.items() if v}
        sensible = {k: v for k, v in texts.items() if v and _makes_sense(k, v)}
        return cls(**sensible, pks=_pks(values))

    def as_json(self) -> dict[str, Any]:
        """What `of` makes the same selection of."""
        default = ("sort", DEFAULT_SORT)
        return {k: v for k, v in asdict(self).items() if v and (k, v) != default}

    def as_query(self) -> str:
        """The same as the query of an address."""
        query = QueryDict(mutable=True)
        for name, value in self.as_json().items():
            query.setlist(name, list(value) if name == "pks" else [value])
        return query.urlencode()

    @property
    def filters(self) -> set[str]:
        """The fields that leave rows out."""
        return set(self.as_json()) - {"sort"}

    @property
    def words(self) -> list[str]:
        """What the text has to contain, each."""
        found = [phrase or word for phrase, word in _WORD.findall(self.q)]
        return [word for word in found if word.strip('"')][:MAX_WORDS]

    def examples(self, dataset: Dataset) -> QuerySet[Example]:
        """All of the examples, in the order of `sort`."""
        found = Example.objects.filter(self.conditions(), dataset=dataset)
        if pieces := query_grams(self.words):
            found = found.filter(_in_index(dataset, pieces))
        return found.order_by(*SORTS[self.sort])

    def conditions(self) -> Q:
        """What each of the examples fulfils by itself, the text index aside."""
        conditions = Q()
        for name in self.filters:
            conditions &= _CONDITIONS[name](self)
        return conditions


def _clean(value: Any) -> str:
    return unicodedata.normalize("NFC", str(value).replace("\x00", "").strip()[:200])


def _makes_sense(name: str, value: str) -> bool:
    if name in _NUMBERS:
        return bool(_NUMBER.fullmatch(value))
    return name not in _ALLOWED or value in _ALLOWED[name]


def _pks(values: Mapping[str, Any] | QueryDict) -> tuple[int, ...]:
    ticked = (
        values.getlist("pks")
        if isinstance(values, QueryDict)
        else values.get("pks") or ()
    )
    return tuple(int(pk) for pk in ticked if _NUMBER.fullmatch(str(pk)))


def _in_index(dataset: Dataset, pieces: list[str]) -> Q:
    sql, params = text_index.subquery(connection.vendor, dataset.pk, pieces)
    waiting = UnindexedText.objects.filter(dataset=dataset).values("example_pk")
    return Q(pk__in=RawSQL(sql, params)) | Q(pk__in=waiting)  # noqa: S611


def _has_words(selection: Selection) -> Q:
    conditions = Q()
    for word in selection.words:
        conditions &= Q(text__icontains=word)
    return conditions


def _has_tag(name: str) -> Q:
    links = Example.tags.through.objects.filter(example=OuterRef("pk"), tag__name=name)
    return Q(Exists(links))


def _has_finding(code: str) -> Q:
    if code == ANY:
        return Q(n_findings__gt=0)
    return Q(Exists(Finding.objects.filter(example=OuterRef("pk"), code=code)))


def _has_problem(code: str) -> Q:
    if code in (ANY, NONE):
        return Q(is_valid=code == NONE)
    wanted = f'"code":{exact_json.dumps(code)}'
    as_text = Cast("problems", TextField())
    return Q(Contains(as_text, wanted), is_valid=False)


def _has_comments(wanted: str) -> Q:
    written = Q(Exists(Comment.objects.filter(example=OuterRef("pk"))))
    return written if wanted == ANY else ~written


def _in_version(pk: str) -> Q:
    rows = VersionRow.objects.filter(example=OuterRef("pk"), version=int(pk))
    return Q(Exists(rows))


_CONDITIONS = {
    "q": _has_words,
    "state": lambda s: Q(state=s.state),
    "split": lambda s: Q(split=s.split),
    "tag": lambda s: _has_tag(s.tag),
    "finding": lambda s: _has_finding(s.finding),
    "problem": lambda s: _has_problem(s.problem),
    "assignee": lambda s: Q(assignee=int(s.assignee)),
    "changed_by": lambda s: Q(updated_by=int(s.changed_by)),
    "import_run": lambda s: Q(import_run=int(s.import_run)),
    "version": lambda s: _in_version(s.version),
    "min_tokens": lambda s: Q(n_tokens__gte=int(s.min_tokens)),
    "max_tokens": lambda s: Q(n_tokens__lte=int(s.max_tokens)),
    "comments": lambda s: _has_comments(s.comments),
    "pinned": lambda s: Q(is_pinned=s.pinned == "yes"),
    "pks": lambda s: Q(pk__in=s.pks),
}
