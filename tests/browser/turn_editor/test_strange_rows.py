"""Rows that no other editor would open."""

import json

import pytest

from tests.browser.turn_editor.editor import (
    save,
    turn,
)
from tests.factories import make_example

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STRANGE = [
    {"role": "constructor", "content": {"a": 1}},
    {"role": 7, "content": [1, None, {"type": "image_url", "image_url": 5}]},
    {"role": "assistant", "tool_calls": "none", "name": 5, "weight": "heavy"},
    {"role": "assistant", "content": None, "tool_calls": [None, {"function": []}]},
    {"role": "assistant", "function_call": {"name": "f", "arguments": "{"}},
    {"role": "tool", "tool_call_id": ["x"], "content": "🌲 \u202e네"},
    {"role": "user", "content": "", "toString": 1, "__proto__": {"b": 2}},
    {},
]


class TestStrangeRows:
    def test_they_are_shown_and_saved_as_they_are(self, open_example):
        row = make_example(messages=STRANGE, tools=[None, {"function": {"name": 1}}])
        before = row.content_hash
        page = open_example(row)

        assert page.locator(".turn-editor__turn").count() == len(STRANGE)
        turn(page, 8).get_by_label("Text").fill("x")
        turn(page, 8).get_by_label("Text").fill("")
        assert save(page, row).messages[:7] == STRANGE[:7]
        assert row.content_hash != before  # the last has a content now

    def test_a_schema_with_strange_names_makes_fields(self, open_example):
        properties = {"__proto__": {"type": "string"}, "toString": {"type": "integer"}}
        function = {"name": "f", "parameters": {"properties": properties}}
        call = {"id": "c", "type": "function", "function": {"name": "f"}}
        row = make_example(
            tools=[{"type": "function", "function": function}],
            messages=[{"role": "assistant", "tool_calls": [call]}],
        )
        page = open_example(row)
        turn(page, 1).get_by_label("__proto__").last.fill("p")
        turn(page, 1).get_by_label("toString").last.fill("3")
        called = save(page, row).messages[0]["tool_calls"][0]["function"]

        assert json.loads(called["arguments"]) == {"__proto__": "p", "toString": 3}

    def test_a_long_conversation_stays_quick(self, open_example):
        turns = [{"role": "user", "content": f"Turn {n} " * 40} for n in range(400)]
        page = open_example(make_example(messages=turns))
        box = turn(page, 200).get_by_label("Text")
        box.fill("x")
        took = page.evaluate(
            """() => {
              const box = document.querySelectorAll(".turn-editor__content")[199];
              const before = performance.now();
              box.dispatchEvent(new Event("input", {bubbles: true}));
              return performance.now() - before;
            }"""
        )

        assert took < 500  # a keystroke
