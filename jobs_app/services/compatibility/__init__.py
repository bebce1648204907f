"""The compatibility check: a tiny file's walk through a provider's API.

`running` is its life, `steps` are what it tries, `cleaning` takes away what it made.
"""

from jobs_app.services.compatibility.running import (
    cancel_check,
    run_check,
    start_check,
    waiting_checks,
)
from jobs_app.services.compatibility.walk import STEP_NAMES

__all__ = ["STEP_NAMES", "cancel_check", "run_check", "start_check", "waiting_checks"]
