"""Do the arguments of a tool call fit what the tool says of its parameters?

A schema comes with the row and is as hostile as the rest of it: nothing is fetched,
patterns run in RE2, and a budget of steps ends what would take for ever.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import (
    SchemaError,
    UndefinedTypeCheck,
    UnknownType,
    _WrappedReferencingError,
)
from referencing import Registry
from referencing.exceptions import Unresolvable

from datasets_app import exact_json
from datasets_app.chat_format import all_messages
from datasets_app.checks import bounded_schema
from datasets_app.checks.misfits import misfit
from datasets_app.jsonl import Problem

MAX_SCHEMA_CHARACTERS = 50_000
MAX_ARGUMENT_CHARACTERS = 200_000

_BROKEN = (
    SchemaError,
    UndefinedTypeCheck,
    UnknownType,
    Unresolvable,
    _WrappedReferencingError,
    RecursionError,
    TypeError,
    ValueError,
    AttributeError,
    KeyError,
    OverflowError,
)


def argument_problems(record: dict[str, Any]) -> Iterator[Problem]:
    """Calls of tools that the row does not define, or defines otherwise."""
    calls = list(_calls(record))
    if not calls:
        return
    parameters = _parameters_by_name(record)
    bounded_schema.start_budget()
    for index, name, arguments in calls:
        if name not in parameters:
            yield Problem("undefined_tool", index, {"name": name[:64]})
        elif problem := _misfit(parameters[name], name, arguments, index):
            yield problem


def _calls(record: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    """(message, function, arguments) of every call that is well formed."""
    messages = all_messages(record)
    for index, message in enumerate(messages if isinstance(messages, list) else (), 1):
        if not isinstance(message, dict):
            continue
        made = [call.get("function") for call in _dicts(message.get("tool_calls"))]
        for function in _dicts([*made, message.get("function_call")]):
            name, arguments = function.get("name"), function.get("arguments")
            if isinstance(name, str) and isinstance(arguments, str):
                yield index, name, arguments


def _parameters_by_name(record: dict[str, Any]) -> dict[str, Any]:
    described = [tool.get("function") for tool in _dicts(record.get("tools"))]
    functions = _dicts([*described, *_dicts(record.get("functions"))])
    return {str(each.get("name")): each.get("parameters") for each in functions}


def _misfit(schema: Any, name: str, arguments: str, index: int) -> Problem | None:
    if not isinstance(schema, dict) or len(arguments) > MAX_ARGUMENT_CHARACTERS:
        return None
    text = exact_json.dumps(schema)
    if len(text) > MAX_SCHEMA_CHARACTERS:
        return None
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return None  # one of the row's problems says so
    try:
        params = _first_misfit(text, value)
    except bounded_schema.BudgetSpent:
        return None
    except _BROKEN:
        return Problem("broken_tool_schema", index, {"name": name[:64]})
    if params is None:
        return None
    return Problem("arguments_break_schema", index, {"name": name[:64], **params})


def _first_misfit(schema: str, value: Any) -> dict[str, Any] | None:
    for error in _validator(schema).iter_errors(value):
        return misfit(error)
    return None


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    """Raises SchemaError where it is none."""
    parsed = exact_json.loads(schema)
    Draft202012Validator.check_schema(parsed, format_checker=FormatChecker(()))
    return bounded_schema.Validator(parsed, registry=Registry())


def _dicts(values: Any) -> list[dict[str, Any]]:
    return (
        [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
    )
