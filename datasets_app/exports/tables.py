"""Rows of cells, such as spreadsheets open, and no cell of them a formula."""

from typing import Any

from datasets_app.exports.rows import (
    DoesNotFit,
    Row,
    outputs_of,
    spoken,
    text_of,
    turns_of,
)

QUESTION_COLUMNS = ("system", "user", "assistant")
CONVERSATION_COLUMNS = ("messages", "tools")
PREFERENCE_COLUMNS = ("system", "user", "preferred", "non_preferred")


def question_cells(row: Row) -> list[str]:
    """One question and its answer, perhaps behind a system prompt."""
    return _system_and(list(spoken(row)), ("user", "assistant"))


def preference_cells(row: Row) -> list[str]:
    better, worse = outputs_of(row)
    asked = row._replace(preferred_output=None, non_preferred_output=None)
    answers = [_only_text(output) for output in (better, worse)]
    return [*_system_and(list(spoken(asked)), ("user",)), *answers]


def _system_and(turns: list[tuple[str, str]], roles: tuple[str, ...]) -> list[str]:
    system = turns.pop(0)[1] if turns[0][0] == "system" else ""
    if tuple(role for role, _text in turns) != roles:
        raise DoesNotFit("turns")
    return [system, *(text for _role, text in turns)]


def _only_text(output: list[dict[str, Any]]) -> str:
    if len(output) != 1:
        raise DoesNotFit("turns")
    return text_of(output[0])


def conversation_cells(row: Row) -> list[str]:
    """The whole conversation as JSON in one cell, the tools in another."""
    if row.is_preference:
        raise DoesNotFit("preference")
    if row.functions or row.parallel_tool_calls is not None:
        raise DoesNotFit("call_settings")
    turns_of(row)
    return [row.messages.decode(), (row.tools or b"").decode()]
