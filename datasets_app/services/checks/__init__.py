"""Checking a dataset before it costs money."""

from datasets_app.services.checks.requests import request_check, rows_changed
from datasets_app.services.checks.running import run_check

__all__ = ["request_check", "rows_changed", "run_check"]
