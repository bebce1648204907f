"""What the newest check found, for people to read."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from datasets_app.chat_format import preview, texts_of
from datasets_app.checks.codes import ERROR, NOTE, WARNING, severity_of
from datasets_app.models import CheckRun, Dataset, Finding, RunStatus
from datasets_app.services.long_rows import turns_of

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
    found = with_texts(list(Finding.objects.filter(pk__in=pks)))
    return {each.pk: each for each in found}


def with_texts(findings: list[Finding]) -> list[Any]:
    """With `row_text`, the beginning of the message that each finding is about.

    One about the whole row shows what is asked there, as does `other_text`, which is
    of the row that it is too much like.
    """
    pks = {pk for each in findings for pk in (each.example_id, each.other_id) if pk}
    rows = turns_of(pks, SHOWN_CHARACTERS)
    for each in findings:
        shown: Any = each
        shown.row_text = _text(rows.get(each.example_id or 0), each.message_index)
        shown.other_text = _text(rows.get(each.other_id or 0), None)
    return findings


def _text(row: tuple[str, list[Any]] | None, message_index: int | None) -> str:
    if row is None:
        return ""
    beginning, turns = row
    said = turns[message_index - 1 : message_index] if message_index else []
    text = " ".join(texts_of(said[0])) if said else preview(turns, "user")
    return (text or beginning)[:SHOWN_CHARACTERS]


def findings_of(dataset: Dataset, code: str) -> QuerySet[Finding]:
    """All findings of a code, by their keys alone: there may be very many."""
    return Finding.objects.filter(dataset=dataset, code=code).only("pk")


def shown(findings: list[Finding]) -> list[Any]:
    """These few as a page shows them; without those of rows in the bin."""
    found = Finding.objects.filter(
        pk__in=[each.pk for each in findings], example__deleted_at=None
    )
    return with_texts(list(found.order_by("pk")))
