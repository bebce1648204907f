from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets_app.balance import Report, Warning, warnings
from datasets_app.balance_words import PARTS, describe
from datasets_app.finding_texts import LANGUAGES
from datasets_app.models import Dataset, RunStatus
from datasets_app.views.access import get_row, rights
from teams_app.models import Role


@require_safe
@login_required
def balance(request: HttpRequest, pk: int) -> HttpResponse:
    """What the newest finished check counted."""
    datasets = Dataset.objects.select_related("team")
    dataset = get_row(request, datasets, pk, Role.VIEWER)
    finished = dataset.check_runs.filter(status=RunStatus.FINISHED)
    run = finished.exclude(balance={}).first()
    report = run.balance if run else {}
    context = {
        "dataset": dataset,
        "run": run,
        "report": report,
        "parts": _parts(report),
        "warnings": [_words(each) for each in warnings(report)],
        **rights(request, dataset),
    }
    return render(request, "datasets_app/balance.html", context)


def _words(warning: Warning) -> str:
    is_language = warning.code in {"rare_language", "other_mixture"}
    value = warning.params.get("value", "")
    shown = _label("language" if is_language else "", value)
    return describe(warning.code, {**warning.params, "value": shown})


def _label(part: str, label: str) -> Any:
    return LANGUAGES.get(label, label) if part == "language" else label


def _parts(report: Report) -> list[dict[str, Any]]:
    if not report.get("n_rows"):
        return []
    return [
        {
            "key": key,
            "name": PARTS[key],
            "n_without": part["n_without"],
            "n_more": max(0, part["n_distinct"] - len(part["top"]))
            if part["top"]
            else 0,
            "groups": [
                {
                    "label": _label(key, group["label"]),
                    "n": group["n"],
                    "percent": round(100 * group["n"] / report["n_rows"]),
                }
                for group in part["top"]
            ],
        }
        for key, part in report["parts"].items()
    ]
