"""What can be done with many examples at once, each action as a bulk edit.

The rows may be of several datasets: each gets an edit of its own.
"""

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from datasets_app import tasks
from datasets_app.forms import ReasonForm, TagForm
from datasets_app.models import BulkEdit, BulkKind, Dataset, Example, ReviewState, Split
from datasets_app.services import bulk_edits
from datasets_app.services.selection import Selection
from teams_app.access import has_role_anywhere
from teams_app.models import Role

Examples = QuerySet[Example]


class ExampleActions:
    """Mixed into the admin class of examples."""

    def has_review_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, Role.REVIEWER)

    @admin.action(description=_("Approve"), permissions=["review"])
    def approve(self, request: HttpRequest, queryset: Examples) -> None:
        params = {"state": ReviewState.APPROVED.value}
        self._edit(request, queryset, BulkKind.STATE, params, Role.REVIEWER)

    @admin.action(description=_("Reject…"), permissions=["review"])
    def reject(self, request: HttpRequest, queryset: Examples) -> HttpResponse | None:
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, queryset, form, gettext("Reject examples"))
        params = {"state": ReviewState.REJECTED.value, **form.cleaned_data}
        self._edit(request, queryset, BulkKind.STATE, params, Role.REVIEWER)
        return None

    @admin.action(description=_("Move to training"), permissions=["change"])
    def move_to_training(self, request: HttpRequest, queryset: Examples) -> None:
        self._edit(request, queryset, BulkKind.SPLIT, {"split": Split.TRAIN.value})

    @admin.action(description=_("Move to validation"), permissions=["change"])
    def move_to_validation(self, request: HttpRequest, queryset: Examples) -> None:
        self._edit(request, queryset, BulkKind.SPLIT, {"split": Split.VALIDATION.value})

    @admin.action(description=_("Tag…"), permissions=["change"])
    def tag(self, request: HttpRequest, queryset: Examples) -> HttpResponse | None:
        return self._ask_for_tag(request, queryset, BulkKind.TAG)

    @admin.action(description=_("Take a tag off…"), permissions=["change"])
    def untag(self, request: HttpRequest, queryset: Examples) -> HttpResponse | None:
        return self._ask_for_tag(request, queryset, BulkKind.UNTAG)

    @admin.action(description=_("Delete"), permissions=["delete"])
    def delete_to_bin(self, request: HttpRequest, queryset: Examples) -> None:
        self._edit(request, queryset, BulkKind.DELETE, {})

    def _ask_for_tag(
        self, request: HttpRequest, queryset: Examples, kind: BulkKind
    ) -> HttpResponse | None:
        form = TagForm(request.POST if "name" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, queryset, form, gettext("Tag examples"))
        self._edit(request, queryset, kind, form.cleaned_data)
        return None

    def _ask(
        self, request: HttpRequest, queryset: Examples, form: forms.Form, title: str
    ) -> HttpResponse:
        """A small form, which posts the same action and rows once more."""
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": title,
            "opts": Example._meta,
            "form": form,
            "n_examples": queryset.count(),
            "posted_again": _posted_again(request),
        }
        return TemplateResponse(request, "admin/datasets_app/example/tag.html", context)

    def _edit(
        self,
        request: HttpRequest,
        queryset: Examples,
        kind: BulkKind,
        params: dict[str, Any],
        role: Role = Role.CURATOR,
    ) -> None:
        n_chosen = queryset.count()
        own = queryset.visible_to(request.user, role)  # type: ignore[attr-defined]
        edits = [
            _start(dataset, pks, kind, params, request.user)
            for dataset, pks in _by_dataset(own)
        ]
        _say(request, edits, n_chosen)


def _by_dataset(examples: Examples) -> list[tuple[Dataset, list[int]]]:
    pks: dict[int, list[int]] = defaultdict(list)
    for dataset_pk, pk in examples.order_by().values_list("dataset_id", "pk"):
        pks[dataset_pk].append(pk)
    datasets = Dataset.objects.select_related("team").in_bulk(pks)
    return [(datasets[pk], chosen) for pk, chosen in pks.items()]


def _start(
    dataset: Dataset, pks: list[int], kind: BulkKind, params: dict[str, Any], by: Any
) -> BulkEdit:
    edit = bulk_edits.start_edit(
        dataset=dataset,
        kind=kind,
        by=by,
        selection=Selection(pks=tuple(pks)),
        params=params,
    )
    if len(pks) <= bulk_edits.SMALL_ROWS:
        bulk_edits.run_edit(edit)
    else:
        tasks.run_bulk_edit.delay_on_commit(edit.pk)
    return edit


def _say(request: HttpRequest, edits: list[BulkEdit], n_chosen: int) -> None:
    for edit in edits:
        url = reverse("datasets:edit", args=[edit.pk])
        n = edit.n_changed
        done = ngettext("%d example changed.", "%d examples changed.", n) % n
        if edit.is_open:
            done = gettext("A worker makes the change.")
        see = gettext("See it, or undo")
        messages.success(request, format_html('{} <a href="{}">{}</a>', done, url, see))
    n_left = n_chosen - sum(edit.n_changed for edit in edits if not edit.is_open)
    if n_left and not any(edit.is_open for edit in edits):
        messages.warning(
            request,
            ngettext(
                "%d was left as it is: it has problems, has nothing to change, or you "
                "may not do this with it.",
                "%d were left as they are: they have problems, have nothing to change, "
                "or you may not do this with them.",
                n_left,
            )
            % n_left,
        )


def _posted_again(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields that chose the action and its rows."""
    names = ("action", "index", "select_across", ACTION_CHECKBOX_NAME)
    return [(name, value) for name in names for value in request.POST.getlist(name)]
