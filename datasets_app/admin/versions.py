from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets_app.admin.filters import DatasetFilter
from datasets_app.admin.read_only import ReadOnlyAdmin
from datasets_app.models import DatasetVersion, Split


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ReadOnlyAdmin):
    """Frozen versions: to look at and to download."""

    list_display = (
        "__str__",
        "n_training_rows",
        "n_validation_rows",
        "n_training_tokens",
        "approved_only",
        "note",
        "created_at",
        "created_by",
    )
    list_filter = (DatasetFilter,)
    list_select_related = ("dataset", "created_by")
    search_fields = ("note", "training_sha256")
    show_full_result_count = False
    fields = (
        "dataset",
        "number",
        "note",
        "approved_only",
        "n_training_rows",
        "n_training_tokens",
        "training_sha256",
        "n_validation_rows",
        "n_validation_tokens",
        "validation_sha256",
        "same_content",
        "downloads",
        "created_at",
        "created_by",
    )
    readonly_fields = ("same_content", "downloads")

    @admin.display(description=_("identical to"))
    def same_content(self, obj: DatasetVersion) -> str:
        same = obj.first_with_same_content()
        return str(same) if same else gettext("no earlier version")

    @admin.display(description=_("downloads"))
    def downloads(self, obj: DatasetVersion) -> SafeString:
        links = [
            (reverse("datasets:version_file", args=[obj.pk, split.value]), split.label)
            for split in Split
            if obj.file_of(split)
        ]
        page = reverse("datasets:version", args=[obj.pk])
        return format_html(
            '{} · <a href="{}">{}</a>',
            format_html_join(" · ", '<a href="{}">{}</a>', links),
            page,
            gettext("Show in the portal"),
        )
