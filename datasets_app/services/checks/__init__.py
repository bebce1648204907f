"""Checking a dataset before it costs money."""

from datasets_app.services.bulk_edits import is_small, run_edit, undo_edit
from datasets_app.services.check_requests import request_check, rows_changed
from datasets_app.services.checks.lengths import add_cuts
from datasets_app.services.checks.mending import newest_mends, start_mend
from datasets_app.services.checks.report import (
    Report,
    findings_of,
    newest_check,
    report_of,
    shown,
)
from datasets_app.services.checks.running import run_check
from datasets_app.services.errors import BadEdit

__all__ = [
    "BadEdit",
    "Report",
    "add_cuts",
    "findings_of",
    "is_small",
    "newest_check",
    "newest_mends",
    "report_of",
    "request_check",
    "rows_changed",
    "run_check",
    "run_edit",
    "shown",
    "start_mend",
    "undo_edit",
]
