"""One check of a dataset, in a worker.

Rows are read in batches, each committed with its findings, and marked as read: a
check whose worker died goes on where it stopped, and the next one reads only what
changed since.
"""

from contextlib import suppress

from django.db.models import Count, QuerySet

from datasets_app.models import CheckRun, Example, Finding, RunStatus
from datasets_app.services import runs
from datasets_app.services.balance import measure
from datasets_app.services.checks.balance import is_balance_due, measured_runs
from datasets_app.services.checks.comparing import claim_check, compare
from datasets_app.services.checks.keeping import recount, replace_set_findings
from datasets_app.services.checks.sets import set_findings

KEPT_RUNS = 20
SHOWN_OF_A_CODE = 3


def run_check(run: CheckRun) -> None:
    """Check the dataset; harmless to call twice, even at once, for any of its runs."""
    if not claim_check(run):
        return
    with suppress(runs.LostClaim):
        if runs.has_failed_too_often(run):
            runs.end(run, RunStatus.FAILED)
        else:
            _check(run)


def _check(run: CheckRun) -> None:
    compare(run)
    replace_set_findings(run.dataset, set_findings(run.dataset))
    recount(run.dataset)
    runs.end(run, RunStatus.FINISHED, n_done=run.n_total, **_result(run))
    # Last, because nobody waits for it: the findings are shown by now.
    if is_balance_due(run):
        CheckRun.objects.filter(pk=run.pk).update(balance=measure(run.dataset))
    _forget_old_runs(run)


def _result(run: CheckRun) -> dict[str, object]:
    findings = Finding.objects.filter(dataset=run.dataset)
    codes = findings.order_by().values_list("code").annotate(n=Count("pk"))
    summary = {
        code: {"n": n, "first": _first(findings.filter(code=code))} for code, n in codes
    }
    n_rows = Example.objects.filter(dataset=run.dataset).count()
    return {"summary": summary, "n_rows": n_rows}


def _first(findings: QuerySet[Finding]) -> list[int]:
    in_order = findings.order_by("example", "pk").values_list("pk", flat=True)
    return list(in_order[:SHOWN_OF_A_CODE])


def _forget_old_runs(run: CheckRun) -> None:
    newest = CheckRun.objects.filter(dataset=run.dataset).order_by("-pk")[:KEPT_RUNS]
    ended = CheckRun.objects.filter(
        dataset=run.dataset, finished_at__isnull=False, pk__lt=run.pk
    )
    kept = {*newest.values_list("pk", flat=True)}
    kept.update(measured_runs(run.dataset).values_list("pk", flat=True)[:1])
    ended.exclude(pk__in=kept).delete()
