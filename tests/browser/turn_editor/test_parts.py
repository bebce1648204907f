"""Tool calls as forms of their schema, and images."""

import json
from base64 import b64decode

import pytest

from datasets_app.models import Example
from tests.browser.turn_editor.editor import (
    CALL,
    PIXEL,
    TOOL,
    save,
    texts,
    turn,
)
from tests.factories import make_example

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class TestToolCalls:
    @pytest.fixture
    def calling(self, open_example):
        call = {**CALL, "function": {"name": "hp", "arguments": '{"unit":"Ork"}'}}
        answer = {"role": "tool", "tool_call_id": "c1", "content": "20"}
        row = make_example(
            tools=[TOOL],
            messages=[
                {"role": "user", "content": "Hp?"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                answer,
                {"role": "assistant", "content": "20"},
            ],
        )
        return open_example(row), row

    def test_arguments_are_fields_of_the_schema(self, calling):
        page, row = calling
        assert turn(page, 2).get_by_label("unit").last.input_value() == "Ork"
        turn(page, 2).get_by_label("unit").last.fill("엘프")
        turn(page, 2).get_by_label("n", exact=True).last.fill("3")
        turn(page, 2).get_by_label("side").last.select_option("left")
        called = save(page, row).messages[1]["tool_calls"][0]["function"]

        assert json.loads(called["arguments"]) == {
            "unit": "엘프",
            "n": 3,
            "side": "left",
        }

    @pytest.mark.parametrize(
        "written",
        ['{"unit": "a, b: \\"c", "l": [1, 2]}', '{"unit":"a, b: c","l":[1,2]}'],
    )
    def test_a_field_changes_only_itself(self, open_example, written):
        call = {**CALL, "function": {"name": "hp", "arguments": written}}
        turns = [{"role": "assistant", "content": None, "tool_calls": [call]}]
        row = make_example(tools=[TOOL], messages=turns)
        page = open_example(row)
        turn(page, 1).get_by_label("unit").last.fill("Elf")
        called = save(page, row).messages[0]["tool_calls"][0]["function"]

        was = json.dumps(json.loads(written)["unit"])
        assert called["arguments"] == written.replace(was, '"Elf"')

    def test_what_breaks_the_schema_is_said_beside_the_turn(self, calling):
        page, _row = calling
        turn(page, 2).get_by_role("button", name="Arguments as JSON").click()
        turn(page, 2).get_by_label("Arguments").fill('{"n": "many"}')

        turn(page, 2).get_by_text("do not fit its parameters").wait_for()

    def test_a_call_is_added_and_its_answer_chosen(self, calling):
        page, row = calling
        turn(page, 2).get_by_role("button", name="Add a tool call").click()
        turn(page, 2).get_by_label("unit").last.fill("Elf")
        turn(page, 3).get_by_role("button", name="Duplicate").click()
        choice = turn(page, 4).get_by_label("Answers the call").last
        choice.select_option("call_2")
        row = save(page, row)

        assert [each["id"] for each in row.messages[1]["tool_calls"]] == [
            "c1",
            "call_2",
        ]
        assert row.messages[3]["tool_call_id"] == "call_2"
        assert row.is_valid

    def test_a_call_of_another_shape_is_left_as_json(self, open_example):
        odd = [{"id": "c1", "strange": True}]
        row = make_example(messages=[{"role": "assistant", "tool_calls": odd}])
        page = open_example(row)
        area = turn(page, 1).get_by_label("Other keys, as JSON")
        assert json.loads(area.input_value()) == {"tool_calls": odd}

        area.fill('{"tool_calls": [')
        assert turn(page, 1).get_by_text("Line 1, column 17").is_visible()
        page.get_by_role("button", name="Save and continue editing").click()
        assert area.get_attribute("aria-invalid") == "true"
        assert Example.objects.get().messages == row.messages  # not sent


class TestImages:
    def images(self, *urls: str) -> Example:
        parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        text = {"type": "text", "text": "What is this?"}
        return make_example(
            messages=[
                {"role": "user", "content": [text, *parts]},
                {"role": "assistant", "content": "A pixel."},
            ]
        )

    def test_an_image_in_the_row_is_shown(self, open_example):
        page = open_example(self.images(PIXEL))
        picture = turn(page, 1).locator("img")
        picture.wait_for()

        assert picture.evaluate("each => each.naturalWidth") == 1

    def test_what_may_hold_a_script_is_not_shown(self, open_example):
        svg = "data:image/svg+xml;base64,PHN2Zy8+"
        page = open_example(self.images(svg, "javascript:alert(1)"))

        assert turn(page, 1).locator("img").count() == 0
        assert turn(page, 1).get_by_text("is not shown").is_visible()

    def test_an_image_elsewhere_is_asked_for_only_on_a_click(self, open_example, page):
        asked = []

        def answer(route):
            asked.append(route.request.headers.get("referer"))
            route.fulfill(status=200, content_type="image/svg+xml", body="<svg/>")

        page.route("https://pictures.example/**", answer)
        open_example(self.images("https://pictures.example/a.png"))
        page.wait_for_timeout(300)
        assert asked == []

        page.get_by_role("button", name="pictures.example will learn").click()
        page.wait_for_timeout(300)
        assert asked == [None]

    def test_an_image_is_added_from_a_file(self, editor, example):
        pixel = b64decode(PIXEL.partition(",")[2])
        file = {"name": "a.png", "mimeType": "image/png", "buffer": pixel}
        turn(editor, 2).locator('input[type="file"]').set_input_files(file)
        turn(editor, 2).locator("img").wait_for()
        parts = save(editor, example).messages[1]["content"]

        assert parts[0] == {"type": "text", "text": "네더 블레이드는?"}
        assert parts[1] == {"type": "image_url", "image_url": {"url": PIXEL}}
        assert example.is_valid

    def test_what_is_too_big_to_store_is_said_before_it_is_sent(
        self, editor, example, settings
    ):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
        editor.reload()
        turn(editor, 3).get_by_label("Text").fill("네" * 700)
        editor.get_by_role("button", name="Save and continue editing").click()

        editor.get_by_text("Nothing is lost").wait_for()
        assert len(texts(editor)[2]) == 700

    def test_a_file_that_is_no_picture_is_refused(self, editor):
        file = {"name": "a.png", "mimeType": "image/png", "buffer": b"<svg/>"}
        turn(editor, 2).locator('input[type="file"]').set_input_files(file)

        editor.get_by_text("a.png is no JPEG, PNG or WEBP").wait_for()
        assert turn(editor, 2).locator("img").count() == 0
