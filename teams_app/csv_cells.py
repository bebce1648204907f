"""Cells that a spreadsheet shows and never runs; pure."""

# Korean and Japanese spreadsheets take the wide signs for formulas, too.
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")


def tame(text: str) -> str:
    """No spreadsheet takes the text for a formula. `untame` gives it back."""
    return f"'{text}" if _is_formula(text) else text


def untame(text: str) -> str:
    """What `tame` was given."""
    return text[1:] if text.startswith("'") and _is_formula(text) else text


def _is_formula(text: str) -> bool:
    """Behind apostrophes, which make a text of it."""
    return text.lstrip("'")[:1] in FORMULA_STARTS


def csv_line(cells: list[str]) -> str:
    """As csv.writer writes it, which looks at each character and takes its time."""
    return ",".join([_quoted(tame(cell)) for cell in cells]) + "\r\n"


def _quoted(cell: str) -> str:
    if '"' in cell:
        cell = cell.replace('"', '""')
    elif not ("," in cell or "\n" in cell or "\r" in cell):
        return cell
    return f'"{cell}"'
