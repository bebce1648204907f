"""The list of a dataset's examples: search, filters, order, pages, chosen rows."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from datasets_app import services
from datasets_app.admin.example_choices import filter_fields
from datasets_app.models import Dataset, Example, SavedFilter
from datasets_app.services.listing import (
    ListPage,
    end_key,
    key_before_position,
    list_examples,
    neighbours,
)
from datasets_app.services.long_rows import previews_of
from datasets_app.services.saved_filters import (
    delete_filter,
    rename_filter,
    save_filter,
)
from datasets_app.services.selection import Selection
from teams_app.access import has_role, has_role_anywhere, require_role
from teams_app.models import Role
from teams_app.scoped_admin import TeamScopedAdmin

DATASETS_PER_PAGE = 100
FOLDER = "admin/datasets_app/example"
LIST = "admin:datasets_app_example_changelist"


class ExampleList(TeamScopedAdmin):
    """What the admin class of examples knows of many of them."""

    def get_urls(self) -> list[Any]:
        def of(view: Any) -> Any:
            return self.admin_site.admin_view(require_POST(view))

        name = "datasets_app_example_filter"
        return [
            path("", self._door, name="datasets_app_example_changelist"),
            path("filters/of/<int:pk>/", of(self.filter_save), name=f"{name}_save"),
            path("filters/<int:pk>/", of(self.filter_change), name=f"{name}_change"),
            *super().get_urls(),
        ]

    def _door(self, request: HttpRequest) -> HttpResponse:
        """A search after the session ended: sign in, but not within the page."""
        is_part = request.htmx  # type: ignore[attr-defined]
        if is_part and not self.admin_site.has_permission(request):
            return HttpResponseClientRefresh()
        return self.admin_site.admin_view(self.changelist_view)(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list of `?dataset=`; without one, the datasets to choose from."""
        pk = request.GET.get("dataset", "")
        if not pk:
            return self._choose_dataset(request)
        datasets = services.with_counts(_datasets(request))
        known = datasets.select_related("team").filter(
            pk=int(pk) if pk.isdecimal() and len(pk) < 19 else 0
        )
        return self._list(request, get_object_or_404(known))

    def _choose_dataset(self, request: HttpRequest) -> HttpResponse:
        datasets = services.with_counts(_datasets(request)).select_related("team")
        pages = Paginator(datasets.order_by("name", "pk"), DATASETS_PER_PAGE)
        page = pages.get_page(request.GET.get("page"))
        if len(page.object_list) == 1 and pages.count == 1:
            query = request.GET.copy()
            query["dataset"] = str(page.object_list[0].pk)
            return redirect(f"{reverse(LIST)}?{query.urlencode()}")
        context = {**self._frame(request), "page": page, "title": _("Examples")}
        return TemplateResponse(request, f"{FOLDER}/choose_dataset.html", context)

    def _list(self, request: HttpRequest, dataset: Any) -> HttpResponse:
        selection = Selection.of(request.GET)
        page = _page(request, selection, dataset)
        prefetch_related_objects(page.rows, "tags")
        is_part = bool(request.htmx)  # type: ignore[attr-defined]
        here = list_query(dataset, selection)
        context = {
            **self._frame(request),
            "title": dataset.name,
            "dataset": dataset,
            "selection": selection,
            "filter_query": selection.as_query(),
            "here": here,
            "page": page,
            "rows": _rows(page.rows, here),
            "n_found_more": page.n_found is None and len(selection.filters) == 1,
            "sorts": _sorts(),
            "columns": _columns(dataset, selection),
            "saved_filters": SavedFilter.objects.filter(team=dataset.team_id),
            "last_page": end_key(selection.sort),
            "may_curate": has_role(request.user, dataset, Role.CURATOR),
            "may_review": has_role(request.user, dataset, Role.REVIEWER),
        }
        if is_part:
            response = TemplateResponse(request, f"{FOLDER}/_list.html", context)
            # Looking further for the same search is no step that leads back.
            header = "HX-Replace-Url" if "after" in request.GET else "HX-Push-Url"
            response[header] = f"{reverse(LIST)}?{here}"
            return response
        fields = filter_fields(dataset, selection)
        context |= {"fields": fields[:7], "rare_fields": fields[7:]}
        rare = {"min_tokens", "max_tokens", *(field.name for field in fields[7:])}
        context["rare_is_open"] = bool(rare & selection.filters)
        return TemplateResponse(request, f"{FOLDER}/list.html", context)

    def _frame(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": Example._meta,
            "may_add": has_role_anywhere(request.user, Role.CURATOR),
        }

    def filter_save(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep the filter of the list, for the dataset's team."""
        dataset = get_object_or_404(_datasets(request), pk=pk)
        require_role(request.user, dataset, Role.CURATOR)
        selection = Selection.of(QueryDict(request.POST.get("query", "")))
        try:
            name = request.POST.get("name", "")
            saved = save_filter(
                dataset.team, name=name, selection=selection, by=request.user
            )
        except ValidationError as exc:
            self.message_user(request, " ".join(exc.messages), "ERROR")
        else:
            said = _("The filter is kept as “%(name)s”.") % {"name": saved.name}
            self.message_user(request, said)
        return redirect(f"{reverse(LIST)}?{list_query(dataset, selection)}")

    def filter_change(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Rename or delete a kept filter."""
        kept = SavedFilter.objects.visible_to(request.user)
        saved = get_object_or_404(kept, pk=pk)
        require_role(request.user, saved, Role.CURATOR)
        if "delete" in request.POST:
            delete_filter(saved, by=request.user)
            self.message_user(
                request,
                _("The filter “%(name)s” is deleted.") % {"name": saved.name},
            )
        else:
            self._rename(request, saved)
        back = QueryDict(request.POST.get("back", ""))
        return redirect(f"{reverse(LIST)}?{back.urlencode()}")

    def _rename(self, request: HttpRequest, saved: SavedFilter) -> None:
        try:
            rename_filter(saved, name=request.POST.get("name", ""), by=request.user)
        except ValidationError as exc:
            self.message_user(request, " ".join(exc.messages), "ERROR")
        else:
            said = _("The filter is now called “%(name)s”.") % {"name": saved.name}
            self.message_user(request, said)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """The page of an example leads on to its neighbours in the list it is of."""
        if obj := kwargs.get("obj"):
            context["neighbours"] = neighbours_of(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)


def _datasets(request: HttpRequest) -> Any:
    return Dataset.objects.visible_to(request.user)


def list_query(dataset: Dataset, selection: Selection) -> str:
    """The query of the list's address: the dataset and what is filtered."""
    rest = selection.as_query()
    return f"dataset={dataset.pk}{'&' if rest else ''}{rest}"


def _page(request: HttpRequest, selection: Selection, dataset: Dataset) -> ListPage:
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    at = request.GET.get("at", "")
    if at.isdecimal() and len(at) < 10 and selection.sort == "position":
        after = key_before_position(dataset, int(at))
        before = "" if after else end_key(selection.sort)
    return list_examples(selection, dataset, after=after, before=before)


def _rows(examples: list[Example], here: str) -> list[dict[str, Any]]:
    previews = previews_of([example.pk for example in examples])
    rows = []
    for example in examples:
        asked, said = previews.get(example.pk, ("", ""))
        url = _url(example, here)
        rows.append({"example": example, "url": url, "question": asked, "answer": said})
    return rows


def _url(example: Example, here: str) -> str:
    url = reverse("admin:datasets_app_example_change", args=[example.pk])
    return f"{url}?{urlencode({'_changelist_filters': here})}"


def _sorts() -> list[tuple[str, str]]:
    return [
        ("position", _("oldest first")),
        ("-position", _("newest first")),
        ("-changed", _("changed last")),
        ("changed", _("changed longest ago")),
        ("-tokens", _("most tokens")),
        ("tokens", _("fewest tokens")),
        ("-findings", _("most findings")),
        ("findings", _("fewest findings")),
    ]


def _columns(dataset: Dataset, selection: Selection) -> dict[str, dict[str, str]]:
    """For each column that sorts: where its head leads, and how it sorts now."""
    columns = {}
    for name in ("tokens", "findings", "changed"):
        down, up = f"-{name}", name
        target = up if selection.sort == down else down
        other = Selection.of({**selection.as_json(), "sort": target})
        columns[name] = {
            "query": list_query(dataset, other),
            "sort": {down: "descending", up: "ascending"}.get(selection.sort, "none"),
        }
    return columns


def neighbours_of(request: HttpRequest, example: Example) -> dict[str, str]:
    """Addresses of the examples before and behind this one, and of the list."""
    query = QueryDict(request.GET.get("_changelist_filters", ""))
    selection = Selection.of(query)
    before, after = neighbours(selection, example.dataset, example)
    here = list_query(example.dataset, selection)
    return {
        "before": _url(before, here) if before else "",
        "after": _url(after, here) if after else "",
        "list": f"{reverse(LIST)}?{here}",
    }
