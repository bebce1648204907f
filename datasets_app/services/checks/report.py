"""What the newest check found, for people to read."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Substr

from datasets_app.checks.codes import ERROR, NOTE, WARNING, severity_of
from datasets_app.models import CheckRun, Dataset, Finding, RunStatus

SHOWN_CHARACTERS = 400  # more than are shown: a secret is hidden only as a whole


@dataclass(slots=True)
class CodeReport:
    """All findings of one code: how many, and the first few."""

    code: str
    n: int
    first: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """Of the last check that finished. Until then there is none."""

    run: CheckRun
    by_severity: dict[str, list[CodeReport]]

    def _count(self, severity: str) -> int:
        return sum(each.n for each in self.by_severity[severity])

    @property
    def n_errors(self) -> int:
        return self._count(ERROR)

    @property
    def n_warnings(self) -> int:
        return self._count(WARNING)

    @property
    def n_notes(self) -> int:
        return self._count(NOTE)


def newest_check(dataset: Dataset) -> CheckRun | None:
    return CheckRun.objects.filter(dataset=dataset).select_related("created_by").first()


def report_of(dataset: Dataset, *, with_rows: bool = False) -> Report | None:
    finished = CheckRun.objects.filter(dataset=dataset, status=RunStatus.FINISHED)
    run = finished.first()
    if run is None:
        return None
    by_severity: dict[str, list[CodeReport]] = {ERROR: [], WARNING: [], NOTE: []}
    rows = _first_rows(run) if with_rows else {}
    for code, of_code in sorted(run.summary.items(), key=lambda item: -item[1]["n"]):
        first = [rows[pk] for pk in of_code["first"] if pk in rows]
        by_severity[severity_of(code)].append(CodeReport(code, of_code["n"], first))
    return Report(run, by_severity)


def _first_rows(run: CheckRun) -> dict[int, Finding]:
    """By key; a finding may be gone since the check."""
    pks = [pk for of_code in run.summary.values() for pk in of_code["first"]]
    return with_texts(Finding.objects.filter(pk__in=pks)).in_bulk()


def with_texts(findings: QuerySet[Finding]) -> QuerySet[Any]:
    """With the beginning of each row's text, and of the row it is too much like."""
    return findings.annotate(
        row_text=Substr("example__text", 1, SHOWN_CHARACTERS),
        other_text=Substr("other__text", 1, SHOWN_CHARACTERS),
    )


def findings_of(dataset: Dataset, code: str) -> QuerySet[Finding]:
    """All findings of a code, by their keys alone: there may be very many."""
    return Finding.objects.filter(dataset=dataset, code=code).only("pk")


def shown(findings: list[Finding]) -> list[Any]:
    """These few as a page shows them; without those of rows in the bin."""
    found = Finding.objects.filter(
        pk__in=[each.pk for each in findings], example__deleted_at=None
    )
    return list(with_texts(found).order_by("pk"))
