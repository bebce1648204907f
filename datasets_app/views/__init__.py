"""The portal's pages about datasets, one module for each kind of page."""

from datasets_app.views.balance import balance
from datasets_app.views.bins import bin_page
from datasets_app.views.bulk_edit_runs import (
    edit_cancel,
    edit_list,
    edit_page,
    edit_resume,
    edit_undo,
)
from datasets_app.views.bulk_edits import edit_new
from datasets_app.views.checks import (
    check_cancel,
    mend,
    mend_undo,
    preflight,
    preflight_check,
    preflight_code,
)
from datasets_app.views.datasets import (
    dataset_detail,
    dataset_list,
    dataset_new,
)
from datasets_app.views.example_review import (
    example_assign,
    example_comment,
    example_decide,
)
from datasets_app.views.exports import (
    export,
    export_file,
    version_export,
    version_export_file,
)
from datasets_app.views.freezing import freeze, freeze_cancel, freeze_run
from datasets_app.views.import_reports import import_rejected, import_report
from datasets_app.views.import_runs import import_cancel, import_resume, import_run
from datasets_app.views.mending import import_mend
from datasets_app.views.review_queue import review_queue
from datasets_app.views.split import split
from datasets_app.views.tokens import choose_base_model, count_cancel, tokens
from datasets_app.views.undoing_imports import import_redo, import_undo
from datasets_app.views.uploads import import_new, import_preview
from datasets_app.views.version_diffs import version_diff
from datasets_app.views.versions import (
    version_copy,
    version_detail,
    version_file,
    version_list,
)

__all__ = [
    "bin_page",
    "check_cancel",
    "choose_base_model",
    "count_cancel",
    "tokens",
    "balance",
    "dataset_detail",
    "dataset_list",
    "dataset_new",
    "edit_cancel",
    "edit_list",
    "edit_new",
    "edit_page",
    "edit_resume",
    "edit_undo",
    "example_assign",
    "example_comment",
    "example_decide",
    "export",
    "export_file",
    "freeze",
    "freeze_cancel",
    "freeze_run",
    "import_cancel",
    "import_mend",
    "import_new",
    "import_preview",
    "import_redo",
    "import_rejected",
    "import_report",
    "import_resume",
    "import_run",
    "import_undo",
    "mend",
    "mend_undo",
    "preflight",
    "preflight_check",
    "preflight_code",
    "split",
    "review_queue",
    "version_copy",
    "version_detail",
    "version_diff",
    "version_export",
    "version_export_file",
    "version_file",
    "version_list",
]
