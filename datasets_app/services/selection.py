"""Which examples of a dataset somebody means: the list, an export, a bulk edit.

A selection comes from an address or from a stored row, and so from anyone: it knows
its own few fields and ignores every other key.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict

from datasets_app import exact_json
from datasets_app.models import Dataset, Example, Finding, ReviewState, Split

# What the list can be sorted by: the columns of an index, and so quick at any depth.
SORTS = {
    "position": ("position", "id"),
    "-position": ("-position", "-id"),
    "tokens": ("n_tokens", "id"),
    "-tokens": ("-n_tokens", "-id"),
    "changed": ("updated_at", "id"),
    "-changed": ("-updated_at", "-id"),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter: the examples that fit all of its fields; an empty field fits any.

    `finding` is the code of a finding, or "any"; `problem` that of a problem; `tag` is
    a tag's name, `assignee` a user's id, `import_run` an import's; `pks` are rows that
    were ticked one by one.
    """

    q: str = ""
    state: str = ""
    split: str = ""
    tag: str = ""
    finding: str = ""
    problem: str = ""
    assignee: str = ""
    import_run: str = ""
    sort: str = "position"
    pks: tuple[int, ...] = field(default=())

    @classmethod
    def of(cls, values: Mapping[str, Any] | QueryDict) -> "Selection":
        """From an address or a stored row; what makes no sense is left out."""
        known = {f.name: values.get(f.name) for f in fields(cls) if f.name != "pks"}
        texts = {k: str(v).strip()[:200] for k, v in known.items() if v}
        for name, allowed in (
            ("state", ReviewState.values),
            ("split", Split.values),
            ("sort", SORTS),
        ):
            if texts.get(name) not in allowed:
                texts.pop(name, None)
        for name in ("assignee", "import_run"):
            if not texts.get(name, "0").isdecimal():
                texts.pop(name)
        raw = (
            values.getlist("pks")
            if isinstance(values, QueryDict)
            else values.get("pks")
        )
        pks = tuple(int(pk) for pk in raw or () if str(pk).isdecimal())
        return cls(**texts, pks=pks)

    def as_json(self) -> dict[str, Any]:
        """What `of` makes the same selection of."""
        return {k: v for k, v in asdict(self).items() if v and (k, v) != _DEFAULT_SORT}

    def as_query(self) -> str:
        """The same as the query of an address."""
        query = QueryDict(mutable=True)
        for name, value in self.as_json().items():
            query.setlist(name, list(value) if name == "pks" else [value])
        return query.urlencode()

    def examples(self, dataset: Dataset) -> QuerySet[Example]:
        """The examples, in the order of `sort`."""
        found = Example.objects.filter(dataset=dataset).filter(self._conditions())
        return found.order_by(*SORTS[self.sort])

    def _conditions(self) -> Q:
        conditions = Q()
        if self.q:
            conditions &= Q(text__icontains=self.q)
        if self.state:
            conditions &= Q(state=self.state)
        if self.split:
            conditions &= Q(split=self.split)
        if self.tag:
            conditions &= Q(tags__name=self.tag)
        if self.finding:
            conditions &= _has_finding(self.finding)
        if self.problem:
            conditions &= _has_problem(self.problem)
        if self.assignee:
            conditions &= Q(assignee=int(self.assignee))
        if self.import_run:
            conditions &= Q(import_run=int(self.import_run))
        if self.pks:
            conditions &= Q(pk__in=self.pks)
        return conditions


def _pks(values: Mapping[str, Any] | QueryDict) -> tuple[int, ...]:
    ticked = (
        values.getlist("pks")
        if isinstance(values, QueryDict)
        else values.get("pks") or ()
    )
    return tuple(int(pk) for pk in ticked if str(pk).isdecimal())


def _has_finding(code: str) -> Q:
    if code == "any":
        return Q(n_findings__gt=0)
    found = Finding.objects.filter(code=code, example__isnull=False)
    return Q(pk__in=found.values("example"))


def _has_problem(code: str) -> Q:
    if code == "any":
        return Q(is_valid=False)
    wanted = f'"code":{exact_json.dumps(code)}'
    as_text = Cast("problems", TextField())
    found = Example.objects.filter(is_valid=False).alias(as_text=as_text)
    return Q(pk__in=found.filter(as_text__contains=wanted).values("pk"))


_DEFAULT_SORT = ("sort", "position")
