"""Cells of a table that hold JSON, because a table can hold only its text."""

from typing import Any

from datasets_app.jsonl import BadLine, parse_json


def parsed_cell(value: Any) -> Any:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return parse_json(value.encode())
    except BadLine:  # a text may begin with a bracket, too
        return value
