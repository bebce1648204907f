"""The portal's pages about jobs, one module for each page."""

from jobs_app.views.ask import answer, ask
from jobs_app.views.estimates import estimate
from jobs_app.views.history import job_list
from jobs_app.views.home import home
from jobs_app.views.job import charts, held_out, job_detail, live, points
from jobs_app.views.launch import base_model_options, cancel, compare, job_new, launch

__all__ = [
    "answer",
    "ask",
    "base_model_options",
    "cancel",
    "charts",
    "compare",
    "estimate",
    "held_out",
    "home",
    "job_detail",
    "job_list",
    "job_new",
    "launch",
    "live",
    "points",
]
