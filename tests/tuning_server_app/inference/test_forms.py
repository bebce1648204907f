"""Answers that must have a form: the tiny model of random weights would have none."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.tuning_server_app.inference.models import QUESTION
from tests.tuning_server_app.inference.test_app import ask
from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tuning_server_app.training.chat_rendering import render_prompt

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "unit": {"enum": ["blade", "방패"]},
        "hits": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        "kind": {"$ref": "#/$defs/kind"},
    },
    "required": ["unit", "hits", "kind"],
    "additionalProperties": False,
    "$defs": {"kind": {"type": "string", "maxLength": 5}},
}
FORM = {"type": "json_schema", "json_schema": {"name": "unit", "schema": SCHEMA}}


@pytest.fixture(scope="module")
def roomy_base(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reads 1,024 tokens: tools are spelt out in the prompt."""
    folder = tmp_path_factory.mktemp("roomy") / "base"
    shutil.copytree(tiny_base, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "max_position_embeddings": 1024}))
    return folder


@pytest.fixture
def engine(make_engine: Any, roomy_base: Path) -> Any:
    return make_engine(roomy_base)


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


DRAW = tool("draw", n={"enum": [1, 2]})
DISCARD = tool("discard", card={"enum": ["unit", "item"]})


def choice_of(engine: Any, **fields: Any) -> Any:
    response = ask(engine, **{"max_tokens": 120, **fields})
    assert response.status == 200, response.content
    return response.json["choices"][0]


def calls_of(choice: Any) -> list[tuple[str, Any]]:
    functions = [call["function"] for call in choice["message"]["tool_calls"]]
    return [(each["name"], json.loads(each["arguments"])) for each in functions]


@pytest.mark.parametrize("fields", [{}, {"temperature": 1.5, "seed": 1}])
def test_an_answer_follows_its_schema(engine, fields):
    choice = choice_of(engine, response_format=FORM, **fields)

    jsonschema.validate(json.loads(choice["message"]["content"]), SCHEMA)
    assert choice["finish_reason"] == "stop"


def test_every_choice_follows_the_schema_by_itself(engine):
    response = ask(
        engine, response_format=FORM, n=3, temperature=1.2, seed=1, max_tokens=120
    )

    for choice in response.json["choices"]:
        jsonschema.validate(json.loads(choice["message"]["content"]), SCHEMA)


def test_any_object_will_do_where_no_schema_is_given(engine):
    form = {"type": "json_object"}
    bias = {str(engine._load("tiny").result().tokenizer.vocab["}"]): 100}

    choice = choice_of(engine, response_format=form, logit_bias=bias)

    assert json.loads(choice["message"]["content"]) == {}


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"$ref": "#/nowhere"}, {"pattern": "("}]
)
def test_a_schema_that_cannot_be_followed_is_refused(engine, schema):
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    response = ask(engine, response_format=form)

    assert response.status == 400
    assert response.json["error"]["param"] == "response_format"


def test_the_model_reads_the_tools_it_is_offered(engine, tokenizer):
    usage = ask(engine, tools=[DRAW]).json["usage"]

    prompt = render_prompt(tokenizer, QUESTION, [DRAW])
    assert usage["prompt_tokens"] == len(prompt)
    assert len(prompt) > len(render_prompt(tokenizer, QUESTION))


def test_a_required_tool_is_called(engine):
    choice = choice_of(
        engine, tools=[DRAW], tool_choice="required", parallel_tool_calls=False
    )

    assert calls_of(choice)[0][0] == "draw"
    assert calls_of(choice)[0][1]["n"] in (1, 2)
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None


@pytest.mark.parametrize("name", ["draw", "discard"])
def test_a_named_tool_is_the_one_that_is_called(engine, name):
    chosen = {"type": "function", "function": {"name": name}}

    choice = choice_of(
        engine,
        tools=[DRAW, DISCARD],
        tool_choice=chosen,
        parallel_tool_calls=False,
    )

    assert [called for called, _arguments in calls_of(choice)] == [name]


def test_only_allowed_tools_are_called(engine):
    allowed = {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "discard"}}],
        },
    }

    choice = choice_of(engine, tools=[DRAW, DISCARD], tool_choice=allowed)

    assert {name for name, _arguments in calls_of(choice)} == {"discard"}


def test_the_arguments_schema_may_refer_to_its_own_definitions(engine):
    function = {"name": "make", "parameters": SCHEMA}

    choice = choice_of(
        engine,
        tools=[{"type": "function", "function": function}],
        tool_choice="required",
        parallel_tool_calls=False,
    )

    jsonschema.validate(calls_of(choice)[0][1], SCHEMA)


def test_a_stream_tells_the_same_calls(engine):
    fields: dict[str, Any] = {
        "tools": [DRAW, DISCARD],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "max_tokens": 120,
    }
    whole = ask(engine, **fields).json["choices"][0]["message"]["tool_calls"]

    chunks = ask(engine, stream=True, **fields).chunks

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    (calls,) = [delta["tool_calls"] for delta in deltas if delta.get("tool_calls")]
    assert [call["function"] for call in calls] == [call["function"] for call in whole]
    assert calls[0]["index"] == 0
    assert not any(delta.get("content") for delta in deltas)
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [tool("no spaces")]}, "tools[0].function.name"),
        ({"tools": [DRAW], "tool_choice": "sometimes"}, "tool_choice"),
        (
            {
                "tools": [DRAW],
                "tool_choice": {"type": "function", "function": {"name": "discard"}},
            },
            "tool_choice",
        ),
        ({"tools": [tool("x", y={"type": "odd"})], "tool_choice": "required"}, "tools"),
        ({"tools": [DRAW], "parallel_tool_calls": 1}, "parallel_tool_calls"),
    ],
)
def test_a_wrong_tool_is_refused_by_its_name(engine, fields, param):
    response = ask(engine, **fields)

    assert response.status == 400
    assert response.json["error"]["param"] == param


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "multipleOf": 999_983},
        {"type": "number", "multipleOf": 0.999983},
        {"allOf": [{"multipleOf": 9973}, {"multipleOf": 9967}]},
    ],
)
def test_a_multiple_that_takes_the_guide_minutes_is_refused(engine, schema):
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    assert ask(engine, response_format=form).status == 400


def test_usual_multiples_are_followed(engine):
    of = [{"multipleOf": 0.25, "type": "number"}, {"multipleOf": 7000}]
    schema = {"allOf": of, "enum": [7000]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    assert choice_of(engine, response_format=form)["message"]["content"] == "7000"
