"""Whether a tool call's arguments keep to the JSON schema that the tool came with.

The part of JSON Schema that tools are written in; a rule that is not known here forbids
nothing. Schemas come from anyone, so patterns and references are not followed.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from datasets_app.jsonl import Problem, json_type

MAX_PROBLEMS_PER_CALL = 5
MAX_STEPS = 200_000  # in one row: an enum of thousands for each of thousands of values
COMPARED = {
    "minimum": lambda value, limit: value >= limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}
LENGTHS = {
    "minLength": (str, lambda size, limit: size >= limit),
    "maxLength": (str, lambda size, limit: size <= limit),
    "minItems": (list, lambda size, limit: size >= limit),
    "maxItems": (list, lambda size, limit: size <= limit),
}


class _TooMuch(Exception):
    pass


def argument_problems(record: dict[str, Any]) -> list[Problem]:
    """Of every call in a record, whose messages include a DPO row's outputs.

    What lies beyond MAX_STEPS is not looked at.
    """
    check, schemas = _Check(), schemas_of(record)
    found: list[Problem] = []
    try:
        for index, message in enumerate(_list(record.get("messages")), start=1):
            for function in _called(message):
                found += check.call(function, schemas, index)
    except _TooMuch:
        return found
    return found


def schemas_of(record: dict[str, Any]) -> dict[str, Any]:
    """The functions that a row defines, and the schema of each one's arguments."""
    tools = [_dict(tool).get("function") for tool in _list(record.get("tools"))]
    defined = map(_dict, [*tools, *_list(record.get("functions"))])
    return {
        each["name"]: each.get("parameters")
        for each in defined
        if isinstance(each.get("name"), str)
    }


def _called(message: Any) -> list[dict[str, Any]]:
    message = _dict(message)
    calls = [_dict(call).get("function") for call in _list(message.get("tool_calls"))]
    return [
        function
        for function in [*calls, message.get("function_call")]
        if isinstance(function, dict) and isinstance(function.get("name"), str)
    ]


Broken = Iterator[tuple[str, dict[str, Any]]]


class _Check:
    """Of one row."""

    def __init__(self) -> None:
        self.n_steps = 0

    def _step(self, n: int = 1) -> None:
        self.n_steps += n
        if self.n_steps > MAX_STEPS:
            raise _TooMuch

    def call(
        self, function: dict[str, Any], schemas: dict[str, Any], index: int
    ) -> list[Problem]:
        name = function["name"]
        if name not in schemas:
            unknown = Problem("unknown_function", index, {"name": name[:100]})
            return [unknown] if schemas else []
        try:
            arguments = json.loads(function.get("arguments", ""))
        except (TypeError, ValueError, RecursionError):
            return []  # `tool_checks` says so
        schema = {"type": "object", **_dict(schemas[name])}
        found = islice(self._broken(schema, arguments, ""), MAX_PROBLEMS_PER_CALL)
        return [Problem(code, index, {"name": name[:100], **p}) for code, p in found]

    def _broken(self, schema: Any, value: Any, path: str) -> Broken:
        self._step()
        if not isinstance(schema, dict):
            return
        wanted = schema.get("type")
        if wanted is not None and not _is_type(value, wanted):
            yield _wrong_type(path, value, wanted)
            return
        yield from self._broken_choice(schema, value, path)
        yield from _broken_limits(schema, value, path)
        if isinstance(value, dict):
            yield from self._broken_object(schema, value, path)
        elif isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._broken(schema.get("items"), item, f"{path}[{number}]")

    def _broken_choice(self, schema: dict[str, Any], value: Any, path: str) -> Broken:
        choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if not isinstance(choices, list):
            return
        self._step(len(choices))
        if not any(_same(value, each) for each in choices):
            allowed = json.dumps(choices[:20], ensure_ascii=False)[:200]
            yield "argument_choice", {"path": path or "{}", "allowed": allowed}

    def _broken_object(
        self, schema: dict[str, Any], value: dict[str, Any], path: str
    ) -> Broken:
        named, rest = (
            _dict(schema.get("properties")),
            schema.get("additionalProperties"),
        )
        for key in _list(schema.get("required")):
            if isinstance(key, str) and key not in value:
                yield "argument_missing", {"path": _below(path, key)}
        for key, each in value.items():
            if key not in named and rest is False:
                yield "argument_unknown", {"path": _below(path, key)}
            else:
                yield from self._broken(named.get(key, rest), each, _below(path, key))


def _wrong_type(path: str, value: Any, wanted: Any) -> tuple[str, dict[str, Any]]:
    names = wanted if isinstance(wanted, list) else [wanted]
    return "argument_type", {
        "path": path or "{}",
        "found": json_type(value),
        "wanted": ", ".join(map(str, names))[:100],
    }


def _is_type(value: Any, wanted: Any) -> bool:
    names = wanted if isinstance(wanted, list) else [wanted]
    return any(_is_one_type(value, name) for name in names)


def _is_one_type(value: Any, name: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "number": is_number,
        "integer": is_number and value % 1 == 0,
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "null": value is None,
    }
    return fits.get(name, True) if isinstance(name, str) else True


def _broken_limits(schema: dict[str, Any], value: Any, path: str) -> Broken:
    for rule, limit in schema.items():
        if not isinstance(limit, int | float) or isinstance(limit, bool):
            continue
        if not _keeps(rule, limit, value):
            params = {"path": path or "{}", "rule": rule, "limit": limit}
            yield "argument_limit", params


def _keeps(rule: str, limit: float, value: Any) -> bool:
    if rule in COMPARED and _is_one_type(value, "number"):
        return bool(COMPARED[rule](value, limit))
    if rule in LENGTHS and isinstance(value, LENGTHS[rule][0]):
        return bool(LENGTHS[rule][1](len(value), limit))
    return True


def _same(one: Any, other: Any) -> bool:
    """Python takes true for 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}"[:100] if path else key[:100]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
