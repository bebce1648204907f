"""Which kind of edit does what."""

from datasets_app.models import BulkEdit
from datasets_app.services.bulk_edits.kind import Kind

_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    for kind in kinds:
        _kinds[kind.code.value] = kind


def kind_of(edit: BulkEdit) -> Kind:
    return _kinds[edit.kind]
