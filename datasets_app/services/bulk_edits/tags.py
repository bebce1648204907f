"""Putting a tag on rows, and taking one off."""

from django.utils.translation import gettext as _

from datasets_app.models import BulkEdit, BulkKind
from datasets_app.services.bulk_edits.kind import Kind, Outcome
from datasets_app.services.bulk_edits.recording import insert_revisions, update_rows_of
from datasets_app.services.bulk_edits.tag_changes import (
    Names,
    retag,
    tag_changes,
    tags_of,
)
from datasets_app.services.errors import BadEdit

LONGEST_NAME = 50


class _TagEdit(Kind):
    """`params` holds the tag's `name`."""

    def clean(self, edit: BulkEdit) -> None:
        name = str(edit.params.get("name") or "").strip()
        if not name or len(name) > LONGEST_NAME:
            raise BadEdit(_("Name the tag, in up to 50 characters."))
        edit.params = {"name": name}

    def changed(self, names: Names, name: str) -> Names:
        """The tags that a row with these is to have."""
        raise NotImplementedError

    def change(self, edit: BulkEdit, pks: list[int]) -> Outcome:
        name = edit.params["name"]
        changes = tag_changes(tags_of(pks), lambda names: self.changed(names, name))
        retag(edit.dataset, changes)
        insert_revisions(edit, changes)
        update_rows_of(edit, changes, {})
        return Outcome(len(changes))


class PutTag(_TagEdit):
    code = BulkKind.TAG

    def changed(self, names: Names, name: str) -> Names:
        return names | {name}


class TakeTagOff(_TagEdit):
    code = BulkKind.UNTAG

    def changed(self, names: Names, name: str) -> Names:
        return names - {name}
