"""A row that was edited as one JSON text, put into the fields of its form."""

from typing import Any

from django.http import QueryDict

from datasets_app import exact_json
from datasets_app.chat_format import RECORD_KEYS
from datasets_app.jsonl import BadLine, Problem
from datasets_app.problem_texts import how_to_mend, what_is_wrong
from datasets_app.whole_rows import record_of

WHOLE_ROW = "whole_row"
NULL_BOOLEAN = {None: "unknown", True: "true", False: "false"}


def with_fields(posted: QueryDict, method: str) -> QueryDict:
    """As if the fields had been typed that the text of the whole row stands for.

    Without such a text: what was posted. Raises BadLine.
    """
    if WHOLE_ROW not in posted:
        return posted
    record = record_of(str(posted[WHOLE_ROW]), method)
    data = posted.copy()
    del data[WHOLE_ROW]
    for name in RECORD_KEYS:
        data[name] = _as_typed(name, record.get(name))
    return data


def _as_typed(name: str, value: Any) -> str:
    if name == "parallel_tool_calls":
        return NULL_BOOLEAN[value]
    return "" if value is None else exact_json.pretty(value)


def why_not(text: str) -> str:
    """What is wrong with the text, whatever the method; empty if nothing is."""
    try:
        record_of(text)
    except BadLine as exc:
        return said(exc.problem)
    return ""


def said(problem: Problem) -> str:
    what = what_is_wrong(problem.code, problem.params)
    return f"{what} {how_to_mend(problem.code)}"
