import json
from time import perf_counter

import pytest

from datasets_app.problem_texts import TEXTS, what_is_wrong
from datasets_app.schema_checks import argument_problems

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
        "unit": {"enum": ["C", "F"]},
        "at": {"type": "array", "items": {"type": "number"}},
    },
    "required": ["city"],
    "additionalProperties": False,
}


def found(arguments, schema=WEATHER, name="weather") -> list[tuple]:
    function = {"name": "weather", "parameters": schema}
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"function": {"name": name, "arguments": text}}
    record = {
        "messages": [{"role": "user"}, {"role": "assistant", "tool_calls": [call]}],
        "tools": [{"type": "function", "function": function}],
    }
    problems = argument_problems(record)
    for problem in problems:
        assert problem.message_index == 2
        assert problem.code in TEXTS
        what_is_wrong(problem.code, problem.params)  # has all it names
    return [(problem.code, problem.params.get("path")) for problem in problems]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"city": "서울", "days": 3, "unit": "C", "at": [1, 2.5]}, []),
        ({}, [("argument_missing", "city")]),
        ({"city": 1}, [("argument_type", "city")]),
        ({"city": ""}, [("argument_limit", "city")]),
        ({"city": "x", "days": 9}, [("argument_limit", "days")]),
        ({"city": "x", "days": 1.5}, [("argument_type", "days")]),
        ({"city": "x", "days": True}, [("argument_type", "days")]),
        ({"city": "x", "unit": "K"}, [("argument_choice", "unit")]),
        ({"city": "x", "at": [1, "2"]}, [("argument_type", "at[1]")]),
        ({"city": "x", "zip": 1}, [("argument_unknown", "zip")]),
        ([], [("argument_type", "{}")]),
        ("not json", []),  # another check says so
    ],
)
def test_arguments_against_the_schema(arguments, expected):
    assert found(arguments) == expected


def test_a_function_that_is_not_defined():
    assert found({}, name="time") == [("unknown_function", None)]


@pytest.mark.parametrize(
    "schema",
    [None, [], "x", {"properties": 1}, {"required": 1}, {"type": 1}, {"enum": {}}],
)
def test_a_schema_that_is_none_forbids_nothing(schema):
    assert found({"a": 1}, schema=schema) == []


def test_what_json_cannot_say_is_no_whole_number():
    assert found('{"city": "x", "days": NaN}') == [("argument_type", "days")]


def test_the_time_is_bounded():
    choices = {"type": "array", "items": {"enum": list(range(20_000))}}
    schema = {"properties": {"a": choices}}
    started = perf_counter()

    assert found({"a": [19_999] * 20_000}, schema=schema) == []
    assert perf_counter() - started < 5


def test_few_problems_of_one_call_are_named():
    assert len(found({f"k{n}": 1 for n in range(50)})) == 5
