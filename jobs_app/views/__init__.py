"""The portal's pages about jobs, one module for each page."""

from jobs_app.views.acts import pause, resume, retry, schedule
from jobs_app.views.approvals import approve, decline, waiting
from jobs_app.views.ask import answer, ask
from jobs_app.views.decide import decide
from jobs_app.views.estimates import estimate
from jobs_app.views.history import job_list
from jobs_app.views.home import home
from jobs_app.views.inbound import provider_webhook
from jobs_app.views.job import charts, held_out, job_detail, live, points
from jobs_app.views.launch import (
    base_model_options,
    cancel,
    compare,
    deployment,
    job_new,
    launch,
    new_fields,
)
from jobs_app.views.notices import mine, test_mail
from jobs_app.views.processes import processes
from jobs_app.views.provider import provider, provider_check, provider_check_cancel
from jobs_app.views.teams import team_detail, webhook_act, webhook_add

__all__ = [
    "answer",
    "approve",
    "ask",
    "base_model_options",
    "cancel",
    "charts",
    "compare",
    "decide",
    "decline",
    "deployment",
    "estimate",
    "held_out",
    "home",
    "job_detail",
    "job_list",
    "job_new",
    "launch",
    "live",
    "mine",
    "new_fields",
    "points",
    "processes",
    "provider",
    "provider_check",
    "provider_check_cancel",
    "pause",
    "provider_webhook",
    "resume",
    "retry",
    "schedule",
    "team_detail",
    "test_mail",
    "waiting",
    "webhook_act",
    "webhook_add",
]
