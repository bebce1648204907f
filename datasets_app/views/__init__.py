"""The portal's pages about datasets, one module for each kind of page."""

from datasets_app.views.balance import balance
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
from datasets_app.views.exports import (
    export,
    export_file,
    version_export,
    version_export_file,
)
from datasets_app.views.freezing import freeze, freeze_cancel, freeze_run
from datasets_app.views.import_reports import import_rejected, import_report
from datasets_app.views.import_runs import import_cancel, import_resume, import_run
from datasets_app.views.imports import import_new
from datasets_app.views.mending import import_mend
from datasets_app.views.split import split
from datasets_app.views.undoing_imports import import_redo, import_undo
from datasets_app.views.versions import version_detail, version_file

__all__ = [
    "check_cancel",
    "balance",
    "dataset_detail",
    "dataset_list",
    "dataset_new",
    "export",
    "export_file",
    "freeze",
    "freeze_cancel",
    "freeze_run",
    "import_cancel",
    "import_mend",
    "import_new",
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
    "version_detail",
    "version_export",
    "version_export_file",
    "version_file",
]
