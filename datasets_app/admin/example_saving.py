"""Storing what was typed on the page of one example, and where the way goes then."""

from contextlib import suppress
from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from datasets_app import services
from datasets_app.admin.conflicts import Conflict
from datasets_app.admin.saved_drafts import note_saved
from datasets_app.admin.whole_row import WHOLE_ROW, with_fields
from datasets_app.jsonl import BadLine
from datasets_app.models import Dataset, Example, Method, ReviewState
from datasets_app.services.listing import neighbours
from datasets_app.services.selection import Selection
from teams_app.rows import read_key
from teams_app.scoped_admin import TeamScopedAdmin

# The page of a conflict has these of its own.
NOT_TYPED = ("csrfmiddlewaretoken", "opened_at", "opened_state", "opened_revision")


class ExampleSaving(TeamScopedAdmin):
    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A row that was edited as one text is first put into the fields of its form.

        And a form that comes from the conflict page is first put together.
        """
        if request.method == "POST" and WHOLE_ROW in request.POST:
            self._spread(request, object_id)
        if request.method == "POST" and object_id and "merge_base" in request.POST:
            self._put_together(request, object_id)
        return super().changeform_view(request, object_id, *args, **kwargs)

    def _spread(self, request: HttpRequest, object_id: Any) -> None:
        """Where the text cannot be read it stays; the form then says why."""
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        chosen = read_key(request.POST.get("dataset", ""))
        method = obj.dataset.method if obj else _method(request, chosen)
        with suppress(BadLine):
            request.POST = with_fields(request.POST, method)  # type: ignore[assignment]

    def _put_together(self, request: HttpRequest, object_id: str) -> None:
        """As if the merged row had been typed.

        Where the row has changed once more, only the state that the work was begun on
        is put back: the form then finds the conflict by itself.
        """
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_change_permission(request, obj):
            return  # Django says so
        data = request.POST.copy()
        data["opened_revision"] = data.get("merge_base", "")
        if data.get("opened_at") == obj.updated_at.isoformat():
            form = self.get_form(request, obj, change=True)(data, instance=copy(obj))
            form.is_valid()  # which puts what was typed into its instance
            base = form.cleaned_data.get("opened_revision") or 0
            data = Conflict(obj, form.cleaned_data, base).resolve(data)
        request.POST = data  # type: ignore[assignment]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        conflict = context["adminform"].form.conflict
        if conflict is not None:
            return self._conflict_page(request, conflict, context)
        return super().render_change_form(request, context, *args, **kwargs)

    def _conflict_page(
        self, request: HttpRequest, conflict: Conflict, context: Any
    ) -> HttpResponse:
        shown = {
            **context,
            "title": gettext("Two changes at once"),
            "opts": Example._meta,
            "original": conflict.current,
            "choices": conflict.choices(),
            "base_revision": conflict.base_revision,
            "typed": [
                (name, value)
                for name, values in request.POST.lists()
                if name not in NOT_TYPED and not name.startswith(("merge", "_"))
                for value in values
            ],
        }
        template = "admin/datasets_app/example/conflict.html"
        return TemplateResponse(request, template, shown)

    def save_model(
        self, request: HttpRequest, obj: Example, form: Any, change: bool
    ) -> None:
        state = obj.state
        if "_next" in request.POST and change:
            # Asked first: the change may move the row, or drop it from the list.
            _before, after = neighbours(_selection(request), obj.dataset, obj)
            request.next_example = after  # type: ignore[attr-defined]
        services.save_example(obj, by=request.user, tags=form.cleaned_data.get("tags"))
        note_saved(request, form.cleaned_data.get("draft_id", ""))
        if change and obj.state != state:
            messages.info(
                request,
                gettext(
                    "The conversation changed, so it is a draft again until "
                    "somebody reviews it."
                ),
            )
        if not obj.is_valid:
            messages.warning(
                request,
                gettext(
                    "Stored, with problems: no version takes this example before "
                    "they are mended."
                ),
            )

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if "_approve" in request.POST:
            self._approve(request, form.instance)

    def _approve(self, request: HttpRequest, obj: Example) -> None:
        try:
            services.decide(obj, state=ReviewState.APPROVED, by=request.user)
        except services.NotReviewed as exc:
            messages.error(request, str(exc))

    def response_change(self, request: HttpRequest, obj: Example) -> HttpResponse:
        if "_next" not in request.POST:
            return super().response_change(request, obj)
        messages.success(
            request, gettext("%(example)s is saved.") % {"example": str(obj)}
        )
        following = request.next_example  # type: ignore[attr-defined]
        if following is None:
            messages.info(request, gettext("That was the last example of the list."))
            return self.response_post_save_change(request, obj)
        answer = redirect("admin:datasets_app_example_change", following.pk)
        if query := request.GET.urlencode():
            answer["Location"] += f"?{query}"
        return answer


def _method(request: HttpRequest, dataset: int) -> str:
    found = Dataset.objects.visible_to(request.user).filter(pk=dataset).first()
    return found.method if found else Method.SUPERVISED


def _selection(request: HttpRequest) -> Selection:
    """The filter of the list that the page was opened from."""
    kept = request.GET.get("_changelist_filters")
    return Selection.of(QueryDict(kept) if kept else request.GET)
