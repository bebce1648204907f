"""A notice in words: for an e-mail, for Slack, and as data for other programs."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from jobs_app.links import full_address
from jobs_app.models import Approval, FineTuningJob, Notice, NoticeKind
from jobs_app.services.launch_rules import money


@dataclass(frozen=True)
class Text:
    title: str
    lines: list[str]
    link: str


def text_of(notice: Notice, language: str) -> Text:
    with override(language):
        title, lines = _words(notice)
    return Text(one_line(title), [one_line(each) for each in lines], link_of(notice))


def link_of(notice: Notice) -> str:
    if notice.job_id:
        return full_address(reverse("jobs:detail", args=[notice.job_id]))
    return full_address(reverse("teams:detail", args=[notice.team_id]))


def data_of(notice: Notice) -> dict[str, Any]:
    """What a program gets: facts, no sentences, and no text of any row."""
    data = {"team": notice.team.slug, "url": link_of(notice), **notice.data}
    if job := notice.job:
        data |= {
            "job": job.pk,
            "status": job.status,
            "dataset": job.dataset_version.dataset.name,
            "version": job.dataset_version.number,
            "provider": job.provider.name,
            "base_model": job.base_model,
            "fine_tuned_model": job.fine_tuned_model or None,
            "error_code": job.error.get("code"),
        }
    return data


def one_line(text: str) -> str:
    """Names come from people, and a line break would begin a header of its own."""
    return " ".join(text.split())


def _words(notice: Notice) -> tuple[str, list[str]]:
    if notice.kind == NoticeKind.TEST:
        return _("Test"), [_("If you can read this, notices get through.")]
    if notice.kind == NoticeKind.SHUTDOWN:
        return _shutdown(notice.data)
    assert notice.job is not None  # noqa: S101 all other kinds are about one
    return _about_job(NoticeKind(notice.kind), notice.job, notice.data)


def _shutdown(data: dict[str, Any]) -> tuple[str, list[str]]:
    title = _("%(model)s is shut down on %(date)s") % data
    return title, [
        _(
            "%(model)s stops answering on %(date)s, and so do the models that were "
            "tuned from it. %(n)s of your team's jobs trained it. Launch their "
            "versions on another base model in time."
        )
        % data
    ]


def _about_job(
    kind: NoticeKind, job: FineTuningJob, data: dict[str, Any]
) -> tuple[str, list[str]]:
    names = {"job": job.pk, "version": job.dataset_version, "model": job.base_model}
    titles = {
        NoticeKind.APPROVAL_NEEDED: _("Job %(job)d waits for approval: %(version)s"),
        NoticeKind.APPROVED: _("Job %(job)d was approved: %(version)s"),
        NoticeKind.DECLINED: _("Job %(job)d was declined: %(version)s"),
        NoticeKind.FINISHED: _("Job %(job)d finished: %(version)s"),
        NoticeKind.FAILED: _("Job %(job)d failed: %(version)s"),
        NoticeKind.UNSURE: _("Job %(job)d needs a decision: %(version)s"),
        NoticeKind.STALLED: _("Job %(job)d makes no progress: %(version)s"),
    }
    lines = [
        _("%(model)s at %(provider)s.")
        % {"model": job.base_model, "provider": job.provider}
    ]
    return titles[kind] % names, lines + _more(kind, job, data)


def _more(kind: NoticeKind, job: FineTuningJob, data: dict[str, Any]) -> list[str]:
    if kind == NoticeKind.FINISHED:
        return [_("The tuned model: %(model)s") % {"model": job.fine_tuned_model}]
    if kind == NoticeKind.FAILED:
        return [_("Its page says why, and what to do next.")]
    if kind == NoticeKind.UNSURE:
        unclear = _("It is not clear whether the provider has it.")
        return [unclear, _("On its page somebody must say so before it goes on.")]
    if kind == NoticeKind.STALLED:
        return [_("Since %(since)s (UTC) nothing was heard of it.") % data]
    request = job.approvals.select_related("requested_by", "decided_by").first()
    return [] if request is None else _about_request(kind, request)


def _about_request(kind: NoticeKind, request: Approval) -> list[str]:
    if kind == NoticeKind.APPROVAL_NEEDED:
        asked = _("Asked for by %(who)s.") % {"who": request.requested_by or "–"}
        return [asked, _cost(request), *request.reason_labels]
    said = _("Decided by %(who)s.") % {"who": request.decided_by or "–"}
    return [said, request.comment] if request.comment else [said]


def _cost(request: Approval) -> str:
    if request.usd is None:
        return _("What it costs is not known.")
    return _("It costs about %(usd)s USD.") % {"usd": money(request.usd)}
