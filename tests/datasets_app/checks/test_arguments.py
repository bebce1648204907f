import time
from typing import Any

import pytest

from datasets_app.checks.arguments import argument_problems

WEATHER = {
    "type": "object",
    "properties": {"unit": {"enum": ["c", "f"]}, "days": {"type": "integer"}},
    "required": ["unit"],
    "additionalProperties": False,
}


def codes(parameters: Any, arguments: str, *, name: str = "weather") -> list[str]:
    called = {"name": name, "arguments": arguments}
    call = {"id": "c1", "type": "function", "function": called}
    tool = {"name": "weather", "parameters": parameters}
    record = {
        "messages": [{"role": "assistant", "content": None, "tool_calls": [call]}],
        "tools": [{"type": "function", "function": tool}],
    }
    return [problem.code for problem in argument_problems(record)]


def test_arguments_that_fit_are_fine():
    assert codes(WEATHER, '{"unit": "c", "days": 3}') == []


@pytest.mark.parametrize(
    "arguments",
    ["{}", '{"unit": "k"}', '{"unit": "c", "days": "x"}', '{"unit": "c", "x": 1}', "3"],
)
def test_arguments_that_break_the_schema_are_found(arguments):
    assert codes(WEATHER, arguments) == ["arguments_break_schema"]


def test_a_tool_that_is_not_defined_is_found():
    assert codes(WEATHER, "{}", name="calendar") == ["undefined_tool"]


def test_a_call_of_the_old_form_is_checked_too():
    call = {"name": "weather", "arguments": "{}"}
    record = {
        "messages": [{"role": "assistant", "content": None, "function_call": call}],
        "functions": [{"name": "weather", "parameters": WEATHER}],
    }
    [problem] = argument_problems(record)
    assert (problem.code, problem.message_index) == ("arguments_break_schema", 1)


def test_arguments_that_are_no_json_are_left_to_the_structure():
    assert codes(WEATHER, "{") == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"required": 3},
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"properties": {"unit": 7}},
    ],
    ids=str,
)
def test_a_schema_that_is_none_is_found_and_nothing_is_fetched(schema):
    assert codes(schema, '{"unit": "c"}') == ["broken_tool_schema"]


def multiplying(depth: int) -> dict[str, Any]:
    """References that ask for 10 ** depth steps."""
    steps = {
        f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 10} for n in range(depth)
    }
    return {"$defs": {**steps, f"s{depth}": {}}, "$ref": "#/$defs/s0"}


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (multiplying(20), "{}"),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, f'{{"a": "{"a" * 50_000}!"}}'),
        ({"patternProperties": {"^(a+)+$": {}}}, f'{{"{"a" * 50_000}!": 1}}'),
        (
            {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
            f'{{"{"a" * 50_000}!": 1}}',
        ),
        (
            {"properties": {"a": {"uniqueItems": True}}},
            '{"a": [' + ",".join(f'{{"b": {n}}}' for n in range(12_000)) + "]}",
        ),
        ({"items": {"$ref": "#"}}, "[" * 900 + "]" * 900),
    ],
    ids=["references", "pattern", "names", "further names", "unique", "nesting"],
)
def test_a_hostile_schema_takes_no_time(schema, arguments):
    start = time.process_time()
    codes(schema, arguments)
    assert time.process_time() - start < 3


def test_a_pattern_that_only_others_know_is_passed_over():
    schema = {"properties": {"unit": {"pattern": "(?=c)c"}}}
    assert codes(schema, '{"unit": "f"}') == []


def test_a_call_in_an_output_is_counted_behind_the_messages():
    call = {"function": {"name": "weather", "arguments": "{}"}}
    record = {
        "messages": [None, {"role": "user", "content": "Rain?"}],
        "preferred_output": [{"role": "assistant", "tool_calls": [call]}],
    }
    [problem] = argument_problems(record)
    assert (problem.code, problem.message_index) == ("undefined_tool", 3)
