"""What people and the clock can do with jobs; one verb per function.

Nothing here enqueues: a door commits, then rings the task.
"""

from jobs_app.services.acting import (
    MAY_RETRY,
    can_pause,
    can_resume,
    clone_job,
    pause_job,
    reschedule_job,
    resume_job,
    retry_job,
)
from jobs_app.services.approvals import ApprovalRefused, approve, decline
from jobs_app.services.asking import Answer, ask, base_models
from jobs_app.services.claiming import reclaim_stalled_jobs
from jobs_app.services.comparing import (
    compare_on_held_out_rows,
    compare_one_held_out_row,
    request_comparison,
)
from jobs_app.services.compatibility import (
    cancel_check,
    run_check,
    start_check,
    waiting_checks,
)
from jobs_app.services.deciding import launch_again, look_again, take_as_ours
from jobs_app.services.driving import (
    claim_due_comparisons,
    claim_due_submissions,
    providers_to_poll,
    providers_to_read,
)
from jobs_app.services.due_times import slowness
from jobs_app.services.editing import change_draft, name_deployment, save_provider
from jobs_app.services.estimates import (
    Estimate,
    complete_estimates,
    estimate,
    estimate_of,
)
from jobs_app.services.heartbeats import Pulse, beat, heartbeats, silent_processes
from jobs_app.services.histories import read_histories
from jobs_app.services.launching import (
    can_cancel,
    cancel_job,
    create_job,
    launch_job,
)
from jobs_app.services.leftovers import (
    delete_leftovers,
    look_for_leftovers,
    providers_with_deletions,
    request_deletion,
)
from jobs_app.services.metrics import metrics_of
from jobs_app.services.polling import poll_provider
from jobs_app.services.prices import find_price, seed_prices
from jobs_app.services.submitting import submit_job

__all__ = [
    "MAY_RETRY",
    "Answer",
    "ApprovalRefused",
    "Estimate",
    "Pulse",
    "approve",
    "ask",
    "base_models",
    "beat",
    "cancel_check",
    "cancel_job",
    "can_cancel",
    "can_pause",
    "can_resume",
    "change_draft",
    "clone_job",
    "pause_job",
    "reschedule_job",
    "resume_job",
    "retry_job",
    "claim_due_comparisons",
    "claim_due_submissions",
    "compare_on_held_out_rows",
    "compare_one_held_out_row",
    "complete_estimates",
    "create_job",
    "decline",
    "delete_leftovers",
    "estimate",
    "estimate_of",
    "find_price",
    "heartbeats",
    "launch_again",
    "launch_job",
    "look_again",
    "look_for_leftovers",
    "metrics_of",
    "name_deployment",
    "poll_provider",
    "providers_to_poll",
    "providers_with_deletions",
    "providers_to_read",
    "read_histories",
    "reclaim_stalled_jobs",
    "request_comparison",
    "request_deletion",
    "save_provider",
    "run_check",
    "seed_prices",
    "silent_processes",
    "start_check",
    "slowness",
    "submit_job",
    "take_as_ours",
    "waiting_checks",
]
