"""Who gets in, and to which job."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django_htmx.http import HttpResponseClientRefresh

from jobs_app.history import visible_jobs
from jobs_app.models import FineTuningJob
from teams_app.models import User

View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Anonymous people go to the sign-in page.

    A polling fragment must not be answered with that page's HTML: it would land in
    the middle of the old one. It is told to load its whole page anew instead.
    """
    guarded = login_required(view)

    @wraps(view)
    def enter(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
            return HttpResponseClientRefresh()
        return guarded(request, *args, **kwargs)

    return enter


def user_of(request: HttpRequest) -> User:
    """Whoever made the request, inside a view that only lets people in."""
    assert isinstance(request.user, User)  # noqa: S101 signed_in has seen to it
    return request.user


def job_or_404(user: Any, pk: int) -> FineTuningJob:
    """The job with all that its page shows, if `user` may see it."""
    jobs = visible_jobs(user).prefetch_related("checkpoints")
    return get_object_or_404(jobs, pk=pk)
