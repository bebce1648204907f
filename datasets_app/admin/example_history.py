"""The history of one example: every change, and the way back to an earlier state."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from datasets_app import services
from datasets_app.admin.revision_words import tell
from datasets_app.models import Example, ExampleRevision
from datasets_app.times import read_time
from teams_app.access import has_role
from teams_app.models import Role
from teams_app.rows import get_row, read_key
from teams_app.scoped_admin import TeamScopedAdmin

PAGE_SIZE = 10
IN_PANEL = 5


def revisions_of(request: HttpRequest, example: Example) -> QuerySet[ExampleRevision]:
    """Newest first."""
    return (
        ExampleRevision.objects.visible_to(request.user)
        .filter(example_pk=example.pk, dataset_id=example.dataset_id)
        .select_related("created_by", "bulk_edit")
        .order_by("-pk")
    )


class ExampleHistory(TeamScopedAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/restore/<int:revision_pk>/",
                view(require_POST(self.restore_view)),
                name="datasets_app_example_restore",
            ),
            *super().get_urls(),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """`?before=` is the key of the last change that the page before showed."""
        pk = read_key(object_id)
        example = get_row(request, Example.objects.all(), pk, Role.VIEWER)
        revisions = revisions_of(request, example)
        newest = revisions.values_list("pk", flat=True).first()
        if before := read_key(request.GET.get("before", "")):
            revisions = revisions.filter(pk__lt=before)
        shown = list(revisions[: PAGE_SIZE + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History"),
            "subtitle": str(example),
            "opts": Example._meta,
            "original": example,
            "told": tell(shown[:PAGE_SIZE], with_diffs=True),
            "newest": newest,
            "older": shown[PAGE_SIZE - 1].pk if len(shown) > PAGE_SIZE else None,
            "may_restore": has_role(request.user, example, Role.CURATOR),
            **(extra_context or {}),
        }
        template = "admin/datasets_app/example/history.html"
        return TemplateResponse(request, template, context)

    def restore_view(
        self, request: HttpRequest, pk: int, revision_pk: int
    ) -> HttpResponse:
        """Revision 0 stands for the row as it came, before its first change."""
        example = get_row(request, Example.objects.all(), pk, Role.CURATOR)
        if revision_pk:
            get_row(request, revisions_of(request, example), revision_pk, Role.CURATOR)
        seen_at = read_time(request.POST.get("seen_at", "")) or example.created_at
        try:
            restored = services.restore_example(
                example, revision_pk=revision_pk, seen_at=seen_at, by=request.user
            )
        except services.ChangedMeanwhile as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, _what_was_done(restored))
        return redirect("admin:datasets_app_example_history", pk)


def _what_was_done(restored: ExampleRevision | None) -> str:
    if restored is None:
        return gettext("The example is just so already; nothing was changed.")
    return gettext(
        "The earlier state is back. What it replaced is still in the history."
    )
