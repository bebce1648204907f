"""The review queue: one row after the other, decided by a key.

Every answer is the row to look at next, with a word about what was just done. Going on
needs only the place of the last row, so decisions of others are in nobody's way.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from datasets_app import services
from datasets_app.models import Dataset, Example, ExampleRevision, ReviewState
from datasets_app.problem_texts import describe
from datasets_app.services.approvals import since_approval
from datasets_app.services.review_queue import MOST_COUNTED, Place, Queue
from datasets_app.services.selection import Selection
from datasets_app.text_diff import elided, word_diff
from datasets_app.times import read_time
from datasets_app.turn_text import pretty, turns_text
from datasets_app.turn_views import shown_turns
from datasets_app.views.access import get_row
from teams_app.access import has_role
from teams_app.models import Role
from teams_app.rows import read_key

_DATASETS = Dataset.objects.select_related("team")
COMMENTS_SHOWN = 50
FINDINGS_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
def review_queue(request: HttpRequest, pk: int) -> HttpResponse:
    if request.htmx and not request.user.is_authenticated:  # type: ignore[attr-defined]
        # The sign-in page must not land in the middle of this one.
        return HttpResponseClientRefresh()
    return _review_queue(request, pk)


@login_required
def _review_queue(request: HttpRequest, pk: int) -> HttpResponse:
    """`at` is the place of the row in view, `do` what to do; the rest is the filter."""
    dataset = get_row(request, _DATASETS, pk, Role.VIEWER)
    values = request.POST if request.method == "POST" else request.GET
    queue = Queue(dataset, Selection.of(values), request.user)
    place = Place.of(values.get("at", ""))
    told: dict[str, Any] = {}
    if request.method == "POST":
        found, told = _act(queue, place, request.POST)
    elif values.get("go") == "previous":
        found = queue.previous(place) or queue.at(place)
    elif values.get("go") == "next":
        found = queue.next(place)
    else:
        found = queue.at(place)
    if not request.htmx and request.method == "POST":  # type: ignore[attr-defined]
        if "warning" in told:
            messages.warning(request, told["warning"])
        return redirect(_address(queue, found))
    context = {**_context(queue, found), **told}
    part = "_review_row" if request.htmx else "review_queue"  # type: ignore[attr-defined]
    response = render(request, f"datasets_app/{part}.html", context)
    response["HX-Replace-Url"] = _address(queue, found)  # loading again stays here
    return response


Found = tuple[Place, Example] | None


def _act(queue: Queue, place: Place, posted: QueryDict) -> tuple[Found, dict[str, Any]]:
    """What is in view afterwards, and what is said of it."""
    verb = _VERBS.get(posted.get("do", ""))
    if verb is None:
        return queue.at(place), {}
    try:
        return verb(queue, place, posted)
    except services.ChangedMeanwhile as exc:
        told = _("%(what)s Here is the next row.") % {"what": exc}
        return queue.next(place), {"warning": told}
    except services.NotReviewed as exc:
        return queue.at(place), {"warning": str(exc)}
    except Example.DoesNotExist:
        told = _("Somebody deleted this row meanwhile. Here is the next one.")
        return queue.next(place), {"warning": told}


def _row(queue: Queue, place: Place) -> Example:
    return Example.objects.select_related("dataset__team").get(
        pk=place.pk, dataset=queue.dataset
    )


def _decide(state: ReviewState) -> Callable[..., tuple[Found, dict[str, Any]]]:
    def decide(
        queue: Queue, place: Place, posted: QueryDict
    ) -> tuple[Found, dict[str, Any]]:
        revision = services.decide(
            _row(queue, place),
            state=state,
            by=queue.reviewer,
            reason=posted.get("reason", ""),
            seen=read_time(posted.get("seen", "")),
        )
        told = {"done": state.label, "undo": revision, "undo_at": place}
        return queue.next(place), told

    return decide


def _take_back(
    queue: Queue, place: Place, posted: QueryDict
) -> tuple[Found, dict[str, Any]]:
    revisions = ExampleRevision.objects.filter(
        dataset=queue.dataset,
        created_by=queue.reviewer,
        pk=read_key(posted.get("revision", "")),
    )
    revision = revisions.first()
    if revision is None:
        return queue.at(place), {"warning": _("There is nothing to take back.")}
    services.take_back(revision, by=queue.reviewer)
    return queue.at(place), {"notice": _("Taken back.")}


def _comment(
    queue: Queue, place: Place, posted: QueryDict
) -> tuple[Found, dict[str, Any]]:
    row = _row(queue, place)
    if not has_role(queue.reviewer, row, Role.CURATOR):
        raise services.NotReviewed(_("Only a curator writes comments."))
    services.comment_on(row, text=posted.get("text", ""), by=queue.reviewer)
    return queue.at(place), {}


_VERBS: dict[str, Callable[..., tuple[Found, dict[str, Any]]]] = {
    "approve": _decide(ReviewState.APPROVED),
    "reject": _decide(ReviewState.REJECTED),
    "undo": _take_back,
    "comment": _comment,
}


def _address(queue: Queue, found: Found) -> str:
    url = reverse("datasets:review", args=[queue.dataset.pk])
    at = urlencode({"at": str(found[0])} if found else {})
    return "?".join(filter(None, (url, "&".join(filter(None, (_query(queue), at))))))


def _query(queue: Queue) -> str:
    return queue.selection.as_query()


def _context(queue: Queue, found: Found) -> dict[str, Any]:
    n_left = queue.n_left()
    context: dict[str, Any] = {
        "dataset": queue.dataset,
        "selection": queue.selection,
        "query": _query(queue),
        "n_left": min(n_left, MOST_COUNTED),
        "is_more": n_left > MOST_COUNTED,
        "may_review": has_role(queue.reviewer, queue.dataset, Role.REVIEWER),
        "may_curate": has_role(queue.reviewer, queue.dataset, Role.CURATOR),
    }
    if found is None:
        return context
    place, row = found
    team = row.dataset.team
    values = {"content_by_id": row.content_by_id, "created_by_id": row.created_by_id}
    return context | {
        "place": place,
        "row": row,
        "seen": row.updated_at.isoformat(),
        "problems": [describe(problem) for problem in row.problems],
        "findings": row.findings.all()[:FINDINGS_SHOWN],
        "since_approval": _diffs(since_approval(row)),
        "comments": row.comments.select_related("created_by")[:COMMENTS_SHOWN],
        "turns": shown_turns(row.messages),
        "preferred": shown_turns(row.preferred_output),
        "non_preferred": shown_turns(row.non_preferred_output),
        "tools": pretty(row.tools) if row.tools else "",
        "is_own": services.is_own_work(values, team=team, by=queue.reviewer),
    }


def _diffs(changes: dict[str, list[Any]]) -> list[Any]:
    parts: list[Any] = []
    for was, is_now in changes.values():
        text = turns_text if isinstance(is_now, list) else pretty
        parts += elided(word_diff(text(was), text(is_now)))
    return parts
