"""What a team trains on: examples, where they came from, and frozen copies."""

from datasets_app.models.base_models import BaseModel, Encoding
from datasets_app.models.checks import CheckRun, ExampleFeatures, Finding, Severity
from datasets_app.models.counts import ExampleCount
from datasets_app.models.datasets import Dataset, Method, SavedFilter, Tag
from datasets_app.models.examples import Comment, Example, ReviewState, Split
from datasets_app.models.history import BulkEdit, BulkKind, ExampleRevision
from datasets_app.models.imports import (
    FileFormat,
    ImportDuplicate,
    ImportFailure,
    ImportProblem,
    ImportRun,
    OnDuplicate,
)
from datasets_app.models.runs import Run, RunStatus
from datasets_app.models.search import UnindexedText
from datasets_app.models.token_counting import CountRun, VersionTokens
from datasets_app.models.versions import (
    DatasetVersion,
    FreezeFailure,
    FreezeRun,
    VersionRow,
)

__all__ = [
    "BaseModel",
    "BulkEdit",
    "BulkKind",
    "CheckRun",
    "Comment",
    "CountRun",
    "Dataset",
    "DatasetVersion",
    "Encoding",
    "Example",
    "ExampleCount",
    "ExampleFeatures",
    "ExampleRevision",
    "FileFormat",
    "Finding",
    "FreezeFailure",
    "FreezeRun",
    "ImportDuplicate",
    "ImportFailure",
    "ImportProblem",
    "ImportRun",
    "Method",
    "OnDuplicate",
    "ReviewState",
    "Run",
    "RunStatus",
    "SavedFilter",
    "Severity",
    "Split",
    "Tag",
    "UnindexedText",
    "VersionRow",
    "VersionTokens",
]
