"""Cells that a spreadsheet shows and never runs; pure."""

import csv
from collections.abc import Callable
from typing import Any

# Korean and Japanese spreadsheets take the wide signs for formulas, too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def tame(text: str) -> str:
    """No spreadsheet takes the text for a formula. `untame` gives it back."""
    if text.lstrip("'").startswith(FORMULA_STARTS):
        return f"'{text}"
    return text


def untame(text: str) -> str:
    """What `tame` was given."""
    is_tamed = text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS)
    return text[1:] if is_tamed else text


class _Echo:
    """What csv.writer writes to, when the line itself is wanted."""

    def write(self, line: str) -> str:
        return line


_write_row: Callable[[list[str]], Any] = csv.writer(_Echo()).writerow


def csv_line(cells: list[str]) -> str:
    return str(_write_row([tame(cell) for cell in cells]))
