"""The portal's pages about datasets, one module for each kind of page."""

from datasets_app.views.datasets import (
    dataset_detail,
    dataset_list,
    dataset_new,
    freeze,
)
from datasets_app.views.imports import import_new, import_report, import_run
from datasets_app.views.versions import version_detail, version_file

__all__ = [
    "dataset_detail",
    "dataset_list",
    "dataset_new",
    "freeze",
    "import_new",
    "import_report",
    "import_run",
    "version_detail",
    "version_file",
]
