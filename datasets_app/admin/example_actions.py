"""What can be done with many examples at once. Each action asks for its own role."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from datasets_app import services
from datasets_app.forms import TagForm
from datasets_app.models import Example, ReviewState, Split
from teams_app.access import has_role_anywhere
from teams_app.models import Role

Examples = QuerySet[Example]


class ExampleActions:
    """Mixed into the admin class of examples."""

    def has_review_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.REVIEWER)

    @admin.action(description=_("Approve"), permissions=["review"])
    def approve(self, request: HttpRequest, queryset: Examples) -> None:
        self._review(request, queryset, ReviewState.APPROVED)

    @admin.action(description=_("Reject"), permissions=["review"])
    def reject(self, request: HttpRequest, queryset: Examples) -> None:
        self._review(request, queryset, ReviewState.REJECTED)

    def _review(
        self, request: HttpRequest, queryset: Examples, state: ReviewState
    ) -> None:
        n_chosen = queryset.count()
        own = queryset.visible_to(request.user, Role.REVIEWER)  # type: ignore[attr-defined]
        n_done = services.review_examples(own, state=state, by=request.user)
        self._say(request, n_done, n_chosen)

    @admin.action(description=_("Move to training"), permissions=["change"])
    def move_to_training(self, request: HttpRequest, queryset: Examples) -> None:
        self._move(request, queryset, Split.TRAIN)

    @admin.action(description=_("Move to validation"), permissions=["change"])
    def move_to_validation(self, request: HttpRequest, queryset: Examples) -> None:
        self._move(request, queryset, Split.VALIDATION)

    def _move(self, request: HttpRequest, queryset: Examples, split: Split) -> None:
        n_chosen = queryset.count()
        own = queryset.visible_to(request.user, Role.CURATOR)  # type: ignore[attr-defined]
        n_done = services.move_examples(own, split=split, by=request.user)
        self._say(request, n_done, n_chosen)

    @admin.action(description=_("Tag…"), permissions=["change"])
    def tag(self, request: HttpRequest, queryset: Examples) -> HttpResponse | None:
        return self._ask_for_tag(request, queryset, services.tag_examples)

    @admin.action(description=_("Take a tag off…"), permissions=["change"])
    def untag(self, request: HttpRequest, queryset: Examples) -> HttpResponse | None:
        return self._ask_for_tag(request, queryset, services.untag_examples)

    def _ask_for_tag(
        self, request: HttpRequest, queryset: Examples, change: Any
    ) -> HttpResponse | None:
        """First show a small form, which posts the same action and rows once more."""
        form = TagForm(request.POST if "name" in request.POST else None)
        if not form.is_valid():
            return self._tag_page(request, queryset, form)
        n_chosen = queryset.count()
        own = queryset.visible_to(request.user, Role.CURATOR)  # type: ignore[attr-defined]
        n_done = change(own, name=form.cleaned_data["name"], by=request.user)
        self._say(request, n_done, n_chosen)
        return None

    def _tag_page(
        self, request: HttpRequest, queryset: Examples, form: TagForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": gettext("Tag examples"),
            "opts": Example._meta,
            "form": form,
            "n_examples": queryset.count(),
            "posted_again": _posted_again(request),
        }
        return TemplateResponse(request, "admin/datasets_app/example/tag.html", context)

    def _say(self, request: HttpRequest, n_done: int, n_chosen: int) -> None:
        done = ngettext("%d example changed.", "%d examples changed.", n_done) % n_done
        messages.success(request, done)
        if n_left := n_chosen - n_done:
            messages.warning(
                request,
                ngettext(
                    "%d was left as it is: it has problems, has nothing to change, or "
                    "belongs to a team in which you may not do this.",
                    "%d were left as they are: they have problems, have nothing to "
                    "change, or belong to a team in which you may not do this.",
                    n_left,
                )
                % n_left,
            )


def _posted_again(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields that chose the action and its rows."""
    names = ("action", "index", "select_across", ACTION_CHECKBOX_NAME)
    return [(name, value) for name in names for value in request.POST.getlist(name)]
