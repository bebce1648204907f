"""Edits of many rows as one step. Each kind has a module; they are registered here.

A kind's module imports of this package only `kind`, `recording` and its like.
"""

from datasets_app.services.bulk_edits.bin import Purge, Restore
from datasets_app.services.bulk_edits.columns import Assign, Delete, Move, Pin
from datasets_app.services.bulk_edits.import_undo import UndoImport
from datasets_app.services.bulk_edits.mends import Mend
from datasets_app.services.bulk_edits.registry import kind_of, register
from datasets_app.services.bulk_edits.replace import Replace
from datasets_app.services.bulk_edits.running import (
    SMALL_ROWS,
    cancel_edit,
    is_small,
    may_resume,
    resume_edit,
    run_edit,
    start_edit,
    undo_edit,
    why_not_undone,
)
from datasets_app.services.bulk_edits.splits import Resplit
from datasets_app.services.bulk_edits.states import Review
from datasets_app.services.bulk_edits.system_prompts import SetSystemPrompt
from datasets_app.services.bulk_edits.tags import PutTag, TakeTagOff
from datasets_app.services.bulk_edits.undo import Undo
from datasets_app.services.bulk_edits.weights import Weigh
from datasets_app.services.errors import BadEdit

register(PutTag(), TakeTagOff(), Review(), Move(), Resplit(), Pin(), Assign())
register(Weigh(), SetSystemPrompt(), Replace())
register(Delete(), Restore(), Purge(), Undo())
register(UndoImport(), Mend())

__all__ = [
    "SMALL_ROWS",
    "BadEdit",
    "cancel_edit",
    "is_small",
    "kind_of",
    "may_resume",
    "resume_edit",
    "run_edit",
    "start_edit",
    "undo_edit",
    "why_not_undone",
]
