"""What can be found, and how bad it is."""

ERROR, WARNING, NOTE = "error", "warning", "note"

# A row that was read by older checks is read again.
CHECKS_VERSION = 2

# Found in a row by itself.
ROW_CODES = {
    "every_weight_zero": ERROR,
    "undefined_tool": WARNING,
    "arguments_break_schema": WARNING,
    "broken_tool_schema": WARNING,
    "secret": WARNING,
    "resident_number": WARNING,
    "card_number": WARNING,
    "email": NOTE,
    "phone": NOTE,
    "untrimmed_answer": NOTE,
    "mixed_languages": NOTE,
}
# Found by comparing rows, or with the model that is to be trained.
SET_CODES = {
    "too_few_rows": ERROR,
    "too_long_for_model": WARNING,
    "exact_duplicate": WARNING,
    "near_duplicate": WARNING,
    "contradiction": WARNING,
    "overlap_exact": WARNING,
    "overlap_near": WARNING,
}
OWN_CODES = {**ROW_CODES, **SET_CODES}


def severity_of(code: str) -> str:
    """Whatever else is found is a problem of structure: providers refuse the row."""
    return OWN_CODES.get(code, ERROR)


def is_structure(code: str) -> bool:
    """Is it one of the problems that every row carries from its storing?"""
    return code not in OWN_CODES
