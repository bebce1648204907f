"""Rows that are written once and never change."""

from typing import Any, NoReturn

from django.db import models

from teams_app.models import TeamScopedQuerySet


class FrozenRowsError(Exception):
    """A frozen version, or a row of its manifest, was to be changed."""


class FrozenQuerySet(TeamScopedQuerySet):
    """Rows that are written once."""

    def update(self, **_changes: Any) -> NoReturn:
        raise FrozenRowsError(f"{self.model._meta.verbose_name_plural} never change.")

    update.alters_data = True  # type: ignore[attr-defined]


class FrozenModel(models.Model):
    """A row that is written once."""

    objects = FrozenQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise FrozenRowsError(
                f"{self} is frozen. Change the dataset, then freeze it again."
            )
        super().save(*args, **kwargs)
