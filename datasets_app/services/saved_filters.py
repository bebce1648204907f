"""Ways to look at examples that a team keeps under names.

The audit log names the filter and never its query, which may hold words of a row.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from datasets_app.models import SavedFilter
from datasets_app.services.selection import Selection
from teams_app import audit
from teams_app.models import Team, Verb


@transaction.atomic
def save_filter(
    team: Team, *, name: str, selection: Selection, by: Any = None
) -> SavedFilter:
    """Keep the filter, in the place of one that has this name already.

    Ticked rows are not kept. Raises ValidationError: no name, or nothing is filtered.
    """
    kept = {k: v for k, v in selection.as_json().items() if k != "pks"}
    if not kept:
        raise ValidationError(_("Choose a filter or an order first, then save it."))
    saved = SavedFilter.objects.filter(team=team, name=name.strip()).first()
    saved = saved or SavedFilter(team=team, name=name.strip())
    is_new, before = saved.pk is None, saved.query
    saved.query = Selection.of(kept).as_query()
    saved.full_clean()
    saved.save()
    if is_new:
        audit.record(Verb.CREATED, saved, by=by)
    elif saved.query != before:
        audit.record(Verb.CHANGED, saved, by=by, fields=["query"])
    return saved


@transaction.atomic
def rename_filter(saved: SavedFilter, *, name: str, by: Any) -> None:
    """Raises ValidationError: no name, or the team has another filter so named."""
    before, saved.name = saved.name, name.strip()
    saved.full_clean()
    saved.save(update_fields=["name"])
    if saved.name != before:
        audit.record(Verb.CHANGED, saved, by=by, name=[before, saved.name])


@transaction.atomic
def delete_filter(saved: SavedFilter, *, by: Any) -> None:
    audit.record(Verb.DELETED, saved, by=by)
    saved.delete()
