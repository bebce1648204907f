"""Ways to look at examples that a team keeps under names."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from datasets_app.models import SavedFilter
from datasets_app.services.selection import Selection
from teams_app.models import Team


def save_filter(team: Team, *, name: str, selection: Selection) -> SavedFilter:
    """Keep the filter, in the place of one that has this name already.

    Ticked rows are not kept. Raises ValidationError: no name, or nothing is filtered.
    """
    kept = {k: v for k, v in selection.as_json().items() if k != "pks"}
    if not kept:
        raise ValidationError(_("Choose a filter or an order first, then save it."))
    query = Selection.of(kept).as_query()
    saved = SavedFilter.objects.filter(team=team, name=name.strip()).first()
    saved = saved or SavedFilter(team=team, name=name.strip())
    saved.query = query
    saved.full_clean()
    saved.save()
    return saved


def rename_filter(saved: SavedFilter, *, name: str) -> None:
    """Raises ValidationError: no name, or the team has another filter so named."""
    saved.name = name.strip()
    saved.full_clean()
    saved.save(update_fields=["name"])
