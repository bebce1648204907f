"""What launchers do to the jobs that they chose in the admin's list."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app import services, tasks
from jobs_app.decisions import carry_out
from jobs_app.models import FineTuningJob, IllegalTransition, JobStatus
from jobs_app.providers import ProviderError
from jobs_app.services.approvals import ApprovalRefused
from jobs_app.services.model_ends import shutdown_of
from teams_app.access import has_role_anywhere
from teams_app.models import Role

LAUNCH = ["launch"]  # the permission below


class JobActions:
    """Each act asks its service for every job, and tells what it has against one."""

    actions: Any = [
        *("launch", "approve", "decline", "cancel", "pause", "resume", "retry"),
        *("take_as_ours", "look_again", "launch_again"),
    ]
    message_user: Any  # of the admin class

    def has_launch_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.LAUNCHER)

    @admin.action(
        description=gettext_lazy("Launch selected drafts"), permissions=LAUNCH
    )
    def launch(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        n_launched = n_asked = 0
        for job in queryset.visible_to(request.user, Role.LAUNCHER):  # type: ignore[attr-defined]
            try:
                services.launch_job(job, by=request.user)  # type: ignore[arg-type]
            except (IllegalTransition, ValidationError) as exc:
                self.complain(request, job, exc)
            else:
                n_asked += job.status == JobStatus.AWAITING_APPROVAL
                n_launched += job.status == JobStatus.PENDING
                self.tell_of_end(request, job)
                tasks.submit_job.delay_on_commit(job.pk)
        if n_launched:
            text = _("Launched: %(n)d. A worker submits them now.")
            self.message_user(request, text % {"n": n_launched}, messages.SUCCESS)
        if n_asked:
            text = _("Waiting for a second person's approval: %(n)d.")
            self.message_user(request, text % {"n": n_asked}, messages.WARNING)

    def tell_of_end(self, request: HttpRequest, job: FineTuningJob) -> None:
        end = shutdown_of(job.provider, job.base_model)
        if end is not None:
            text = _("#%(job)d: %(model)s will be shut down on %(date)s.")
            values = {"job": job.pk, "model": end.name, "date": date_format(end.on)}
            self.message_user(request, text % values, messages.WARNING)

    @admin.action(
        description=gettext_lazy("Approve selected launches"), permissions=LAUNCH
    )
    def approve(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        comment = request.POST.get("comment", "")
        self.decide(request, queryset, partial(services.approve, comment=comment))

    @admin.action(
        description=gettext_lazy("Decline selected launches"), permissions=LAUNCH
    )
    def decline(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        comment = request.POST.get("comment", "")
        self.decide(request, queryset, partial(services.decline, comment=comment))

    def decide(
        self, request: HttpRequest, queryset: QuerySet[FineTuningJob], verb: Any
    ) -> None:
        n_decided = 0
        for job in queryset.visible_to(request.user, Role.LAUNCHER):  # type: ignore[attr-defined]
            try:
                n_decided += verb(job, by=request.user)
            except (ApprovalRefused, ValidationError) as exc:
                self.complain(request, job, exc)
            else:
                tasks.submit_job.delay_on_commit(job.pk)
        if n_decided:
            text = _("Decided: %(n)d.")
            self.message_user(request, text % {"n": n_decided}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Cancel selected jobs"), permissions=LAUNCH)
    def cancel(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        n_cancelled = 0
        for job in queryset.visible_to(request.user, Role.LAUNCHER):  # type: ignore[attr-defined]
            try:
                services.cancel_job(job, by=request.user)  # type: ignore[arg-type]
            except (IllegalTransition, ProviderError) as exc:
                self.complain(request, job, exc)
            else:
                n_cancelled += 1
        if n_cancelled:
            text = _("Cancelled or asked to cancel: %(n)d.")
            self.message_user(request, text % {"n": n_cancelled}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Pause selected jobs"), permissions=LAUNCH)
    def pause(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        self.act(request, queryset, services.pause_job)

    @admin.action(description=gettext_lazy("Resume selected jobs"), permissions=LAUNCH)
    def resume(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        self.act(request, queryset, services.resume_job)

    @admin.action(description=gettext_lazy("Retry selected jobs"), permissions=LAUNCH)
    def retry(self, request: HttpRequest, queryset: QuerySet[FineTuningJob]) -> None:
        for again in self.act(request, queryset, services.retry_job):
            tasks.submit_job.delay_on_commit(again.pk)

    @admin.action(
        description=gettext_lazy("Needs a decision: the job with this id is it"),
        permissions=LAUNCH,
    )
    def take_as_ours(
        self, request: HttpRequest, queryset: QuerySet[FineTuningJob]
    ) -> None:
        if queryset.count() != 1:
            text = _("An id is that of one job: select this one alone.")
            self.message_user(request, text, messages.ERROR)
            return
        self.act(request, queryset, partial(self.carried_out, request, "take"))

    @admin.action(
        description=gettext_lazy("Needs a decision: look there again"),
        permissions=LAUNCH,
    )
    def look_again(
        self, request: HttpRequest, queryset: QuerySet[FineTuningJob]
    ) -> None:
        self.act(request, queryset, partial(self.carried_out, request, "look"))

    @admin.action(
        description=gettext_lazy("Needs a decision: launch again"),
        permissions=LAUNCH,
    )
    def launch_again(
        self, request: HttpRequest, queryset: QuerySet[FineTuningJob]
    ) -> None:
        self.act(request, queryset, partial(self.carried_out, request, "again"))

    def carried_out(
        self, request: HttpRequest, decision: str, job: FineTuningJob, *, by: Any
    ) -> None:
        remote_id = request.POST.get("remote_id", "")
        carry_out(decision, job, remote_id=remote_id, by=by)

    def act(
        self, request: HttpRequest, queryset: QuerySet[FineTuningJob], verb: Any
    ) -> list[Any]:
        """What the verb gave for each job that it could be done to."""
        done = []
        for job in queryset.visible_to(request.user, Role.LAUNCHER):  # type: ignore[attr-defined]
            try:
                done.append(verb(job, by=request.user))
            except (IllegalTransition, ProviderError, ValidationError) as exc:
                self.complain(request, job, exc)
        if done:
            text = _("Done: %(n)d.") % {"n": len(done)}
            self.message_user(request, text, messages.SUCCESS)
        return done

    def complain(self, request: HttpRequest, job: FineTuningJob, exc: Any) -> None:
        text = " ".join(getattr(exc, "messages", None) or [str(exc)])
        self.message_user(request, f"#{job.pk}: {text}", messages.ERROR)
