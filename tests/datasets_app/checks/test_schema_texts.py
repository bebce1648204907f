"""Why arguments break a schema, said in our own words."""

import json
from typing import Any

import pytest

from datasets_app.checks.arguments import argument_problems
from datasets_app.checks.misfits import TELLERS
from datasets_app.finding_texts import what_is_wrong
from datasets_app.jsonl import Problem
from datasets_app.schema_texts import FORMATS, TEXTS


def problems_of(schema: Any, arguments: Any) -> list[Problem]:
    called = {"name": "f", "arguments": json.dumps(arguments)}
    record = {
        "messages": [{"role": "assistant", "tool_calls": [{"function": called}]}],
        "tools": [{"function": {"name": "f", "parameters": schema}}],
    }
    return list(argument_problems(record))


def params_of(schema: Any, arguments: Any) -> dict[str, Any]:
    [problem] = problems_of(schema, arguments)
    assert problem.code == "arguments_break_schema"
    return problem.params


def said(schema: Any, arguments: Any) -> str:
    whole = what_is_wrong("arguments_break_schema", params_of(schema, arguments))
    return whole.removeprefix("The arguments of “f” do not fit its parameters: ")


def of_a(schema: Any, value: Any) -> str:
    return said({"properties": {"a": schema}}, {"a": value})


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "integer"}, "x", "“a” is a text; it should be a whole number."),
        (
            {"type": ["string", "null"]},
            [1],
            "“a” is a list; it should be a text or null.",
        ),
        ({"enum": ["c", 1]}, "k", '“a” is "k"; it may only be one of "c", 1.'),
        ({"const": 5}, 6, "“a” is 6; it may only be 5."),
        ({"required": ["b"]}, {}, "“b” is missing in “a”."),
        (
            {"additionalProperties": False},
            {"x": 1},
            "“a” has “x”, which is not among the parameters.",
        ),
        ({"minimum": 3}, 2, "“a” is 2; it must be at least 3."),
        ({"maximum": 3}, 4.5, "“a” is 4.5; it must be at most 3."),
        ({"exclusiveMinimum": 3}, 3, "“a” is 3; it must be more than 3."),
        ({"exclusiveMaximum": 3}, 3, "“a” is 3; it must be less than 3."),
        ({"multipleOf": 2}, 3, "“a” is 3; it must be a multiple of 2."),
        (
            {"minLength": 3},
            "ab",
            "“a” is too short. Characters: 2; at least 3 are needed.",
        ),
        (
            {"maxItems": 1},
            [1, 2],
            "“a” is too long. Items: 2; at most 1 are allowed.",
        ),
        (
            {"minProperties": 1},
            {},
            "“a” has too few keys: 0; at least 1 are needed.",
        ),
        (
            {"pattern": "^c$"},
            "d",
            '“a” is "d", which does not fit the pattern ^c$.',
        ),
        (
            {"format": "date"},
            "tomorrow",
            '“a” is "tomorrow"; it should be a date like 2026-01-31.',
        ),
        ({"uniqueItems": True}, [1, 1], "The items of “a” are not all different."),
        ({"anyOf": [{"type": "null"}]}, 1, "“a” fits none of the forms that it may"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) and value else "",
)
def test_each_rule_has_a_sentence(schema, value, sentence):
    assert of_a(schema, value).startswith(sentence)


def test_the_place_is_named():
    schema = {"properties": {"days": {"items": {"properties": {"n": {"maximum": 7}}}}}}

    assert said(schema, {"days": [{"n": 1}, {"n": 9}]}).startswith("“days[1].n” is 9")


def test_what_concerns_all_arguments_names_them_so():
    assert said({"required": ["unit"]}, {}) == "“unit” is missing in “arguments”."


def test_a_rule_without_a_sentence_keeps_the_library_s():
    params = params_of({"properties": {"a": False}}, {"a": 1})

    assert params.keys() == {"name", "why"}
    assert "False schema" in what_is_wrong("arguments_break_schema", params)


def test_every_rule_that_is_told_has_words():
    assert set(TELLERS) == set(TEXTS)


def test_a_long_value_is_cut():
    params = params_of({"properties": {"a": {"enum": [1]}}}, {"a": "x" * 5000})

    assert len(params["found"]) == 60


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("date", "2026-01-31", "2026-02-30"),
        ("time", "09:30:00", "half past nine"),
        ("date-time", "2026-01-31T09:30:00Z", "2026-01-31"),
        ("email", "kim@company.kr", "kim"),
        ("uri", "https://example.com/", "example"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("ipv6", "::1", "127.0.0.1"),
    ],
)
def test_a_format_is_checked(name, text, wrong):
    schema = {"properties": {"a": {"format": name}}}

    assert str(FORMATS[name]) in said(schema, {"a": wrong})
    assert problems_of(schema, {"a": text}) == []


def test_an_unknown_format_asks_for_nothing():
    assert problems_of({"properties": {"a": {"format": "color"}}}, {"a": "?"}) == []
