from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets_app.admin.filters import DatasetFilter
from datasets_app.admin.read_only import ReadOnlyAdmin
from datasets_app.models import ImportRun

PROBLEMS_SHOWN = 100


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """What became of every file; the portal shows the same while it is being read."""

    list_display = (
        "file_name",
        "dataset",
        "status_shown",
        "n_added",
        "n_invalid",
        "n_duplicate",
        "created_at",
        "created_by",
    )
    list_filter = (DatasetFilter, "status")
    list_select_related = ("dataset", "created_by")
    search_fields = ("file_name",)
    show_full_result_count = False
    fields = (
        "file_name",
        "dataset",
        "format",
        "split",
        "strict",
        "on_duplicate",
        "status_shown",
        "error",
        "n_read",
        "n_added",
        "n_invalid",
        "n_duplicate",
        "n_replaced",
        "n_mended",
        "created_at",
        "created_by",
        "finished_at",
        "live_page",
        "report",
    )
    readonly_fields = ("status_shown", "live_page", "report")

    @admin.display(description=_("status"), ordering="status")
    def status_shown(self, obj: ImportRun) -> SafeString:
        context = {"state": obj.status, "label": obj.get_status_display()}
        return render_to_string("components/_state.html", context)

    @admin.display(description=_("progress and whole report"))
    def live_page(self, obj: ImportRun) -> SafeString:
        url = reverse("datasets:import_run", args=[obj.pk])
        text = gettext("Show in the portal")
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description=_("lines left out"))
    def report(self, obj: ImportRun) -> str:
        problems = obj.problems.all()[:PROBLEMS_SHOWN]
        if not problems:
            return gettext("none")
        context = {"problems": problems}
        return render_to_string("datasets_app/_import_problems.html", context)
