"""Which rows become the validation part: the same rows every time, and a fair sample.

Rows are taken in the order of their content's hash, so that neither the order of the
file nor the day decides, and a row that is added later hardly moves another one. Rows
that are nearly the same stay together: what the model has learnt by heart must not be
what it is tested on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What the split looks at.

    key: the beginning of the content's hash, as a number.
    stratum: rows of one stratum are sampled in the same proportion; the row's tags.
    group: rows with the same number are near duplicates; None for a row of its own.
    pinned: True keeps the row in validation, False in training, None lets it move.
    is_validation: where the row is now.
    """

    pk: int
    key: int
    stratum: str = ""
    group: int | None = None
    pinned: bool | None = None
    is_validation: bool = False


@dataclass(slots=True)
class _Unit:
    """Rows that go together."""

    key: int
    stratum: str
    rows: list[Row]

    @property
    def pinned(self) -> bool | None:
        """Of pins that disagree, training wins: better no test than one by heart."""
        pins = {row.pinned for row in self.rows} - {None}
        return False if False in pins else (True if pins else None)


def validation_rows(rows: Iterable[Row], share: float) -> set[int]:
    """The keys of the rows to validate on: about `share` (0 to 1) of each stratum.

    Rows that are pinned stay where they are, and count towards their stratum's share.
    """
    strata: dict[str, list[_Unit]] = defaultdict(list)
    for unit in _units(rows):
        strata[unit.stratum].append(unit)
    wanted = _quotas({name: _size(units) for name, units in strata.items()}, share)
    return set().union(*(_take(strata[name], wanted[name]) for name in strata))


def rows_astride(rows: Iterable[Row]) -> dict[int, bool]:
    """The rows that must move so that none is like one in the other part.

    Of each, whether it goes to validation: where a row like it is pinned, else to
    training. Pinned rows that disagree stay where they are.
    """
    return {
        row.pk: bool(unit.pinned)
        for unit in _units(rows)
        for row in unit.rows
        if row.pinned is None and row.is_validation != bool(unit.pinned)
        if len({each.is_validation for each in unit.rows}) > 1
    }


def _units(rows: Iterable[Row]) -> list[_Unit]:
    """Near duplicates go together, and so does what is the same to the letter."""
    groups: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        alike = ("same", row.key) if row.group is None else ("near", row.group)
        groups[alike].append(row)
    units = []
    for members in groups.values():
        first = min(members, key=lambda row: (row.key, row.pk))
        units.append(_Unit(first.key, first.stratum, members))
    return units


def _size(units: list[_Unit]) -> int:
    return sum(len(unit.rows) for unit in units)


def _quotas(sizes: Mapping[str, int], share: float) -> dict[str, int]:
    """Whole numbers of rows whose sum is right (the largest remainder's method)."""
    exact = {name: n * share for name, n in sizes.items()}
    quotas = {name: int(n) for name, n in exact.items()}
    left = round(sum(exact.values())) - sum(quotas.values())
    by_remainder = sorted(exact, key=lambda name: (quotas[name] - exact[name], name))
    for name in by_remainder[:left]:
        quotas[name] += 1
    return quotas


def _take(units: list[_Unit], n_wanted: int) -> set[int]:
    """Whole units until the share is reached; one that is too big is passed over."""
    taken = {
        row.pk
        for unit in units
        for row in unit.rows
        if (unit.pinned if row.pinned is None else row.pinned)
    }
    free = [unit for unit in units if unit.pinned is None]
    for unit in sorted(free, key=lambda unit: (unit.key, unit.rows[0].pk)):
        if len(taken) + len(unit.rows) <= n_wanted:
            taken.update(row.pk for row in unit.rows)
    return taken
