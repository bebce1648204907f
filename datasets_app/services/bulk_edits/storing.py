"""Examples whose conversation a bulk edit changed, with all that is derived from it."""

from collections.abc import Iterable

from django.utils.timezone import now

from datasets_app.models import BulkEdit, Dataset, Example
from datasets_app.services.examples import DERIVED_FIELDS, derive_fields_of
from datasets_app.services.inserting import update_rows

SIGNED_FIELDS = ("updated_at", "updated_by", "content_by")


def store_examples(
    edit: BulkEdit, examples: Iterable[Example], fields: Iterable[str]
) -> int:
    """Derive and write; `fields` are those that were set. Returns how many are invalid.

    Only these columns are written, so nothing is lost that others change meanwhile.
    """
    changed = list(examples)
    # Asked for every piece: the dataset's base model may change meanwhile.
    dataset = Dataset.objects.select_related("base_model").get(pk=edit.dataset_id)
    derive_fields_of(changed, dataset)
    for example in changed:
        example.updated_at = now()
        example.updated_by_id = example.content_by_id = edit.created_by_id
    names = {name.removesuffix("_id") for name in fields}
    update_rows(Example, (*sorted({*names, *DERIVED_FIELDS}), *SIGNED_FIELDS), changed)
    return sum(not example.is_valid for example in changed)
