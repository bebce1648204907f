"""What people can do with datasets: one verb a function."""

from datasets_app.services.counting import (
    base_model_named,
    counter_of,
    has_tokenizer,
    seed_base_models,
)
from datasets_app.services.counts import fold_counts, recount, with_counts
from datasets_app.services.datasets import create_dataset
from datasets_app.services.errors import (
    ChangedMeanwhile,
    DatasetsError,
    FreezeFailed,
    NotReviewed,
    StorageFull,
)
from datasets_app.services.examples import (
    save_example,
)
from datasets_app.services.freezing import (
    cancel_freeze,
    freeze,
    run_freeze,
    start_freeze,
)
from datasets_app.services.imports import (
    cancel_import,
    resume_import,
    run_import,
    start_import,
)
from datasets_app.services.indexing import has_unindexed_texts, index_texts, reindex
from datasets_app.services.recounting import (
    begin_count,
    begin_due_counts,
    choose_base_model,
    run_count,
)
from datasets_app.services.restoring import restore_example
from datasets_app.services.review import (
    assign,
    comment_on,
    decide,
    is_own_work,
    take_back,
)
from datasets_app.services.tokens_at_a_glance import token_figures
from datasets_app.services.uploads import (
    drop_old_uploads,
    drop_upload,
    recognise,
    start_upload,
    store_upload,
)
from datasets_app.services.version_tokens import count_waiting_version, tokens_of
from datasets_app.services.versions import freezable_examples, versions_of

__all__ = [
    "ChangedMeanwhile",
    "DatasetsError",
    "FreezeFailed",
    "NotReviewed",
    "StorageFull",
    "assign",
    "base_model_named",
    "begin_count",
    "begin_due_counts",
    "cancel_freeze",
    "cancel_import",
    "choose_base_model",
    "comment_on",
    "count_waiting_version",
    "counter_of",
    "create_dataset",
    "decide",
    "drop_old_uploads",
    "drop_upload",
    "fold_counts",
    "freezable_examples",
    "freeze",
    "has_tokenizer",
    "has_unindexed_texts",
    "index_texts",
    "is_own_work",
    "recognise",
    "recount",
    "reindex",
    "restore_example",
    "resume_import",
    "run_count",
    "run_freeze",
    "run_import",
    "save_example",
    "seed_base_models",
    "start_freeze",
    "start_import",
    "take_back",
    "start_upload",
    "store_upload",
    "token_figures",
    "tokens_of",
    "versions_of",
    "with_counts",
]
