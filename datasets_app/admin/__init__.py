"""Curation: one module for each model that the admin shows."""

from datasets_app.admin.base_models import BaseModelAdmin
from datasets_app.admin.datasets import DatasetAdmin, TagAdmin
from datasets_app.admin.examples import ExampleAdmin
from datasets_app.admin.imports import ImportRunAdmin
from datasets_app.admin.versions import DatasetVersionAdmin

__all__ = [
    "BaseModelAdmin",
    "DatasetAdmin",
    "DatasetVersionAdmin",
    "ExampleAdmin",
    "ImportRunAdmin",
    "TagAdmin",
]
