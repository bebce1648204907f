"""The whole row as one JSON text."""

import json

import pytest

from tests.browser.test_accessibility import findings
from tests.browser.turn_editor.editor import (
    TOOL,
    save,
    texts,
    turn,
)
from tests.factories import make_example

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class TestJSON:
    @pytest.fixture
    def whole(self, editor):
        """The text area of the whole row, open."""
        editor.get_by_role("button", name="Edit the whole row as JSON").click()
        area = editor.get_by_label("The whole row as JSON")
        area.wait_for()
        return area

    def test_the_whole_row_can_be_edited(self, editor, whole, example):
        row = json.loads(whole.input_value())
        assert row == {"messages": example.messages}
        assert not turn(editor, 1).is_visible()

        short = [{"role": "assistant", "content": "Short"}]
        whole.fill(json.dumps({"messages": short, "tools": [TOOL], "source": "forum"}))
        editor.get_by_role("button", name="Edit turn by turn").click()
        turn(editor, 1).wait_for()
        assert texts(editor) == ["Short"]
        row = save(editor, example)
        assert (row.messages, row.tools) == (short, [TOOL])
        assert row.extra == {"source": "forum"}

    def test_looking_at_it_changes_nothing(self, editor, whole, example):
        before = example.content_hash

        assert save(editor, example).content_hash == before

    def test_where_it_is_wrong_is_said_while_one_types(self, editor, whole):
        whole.fill('{"messages": [{"role": "user",\n "content" 1}]}')

        assert editor.get_by_text(
            "Line 2, column 12: here should be a colon."
        ).is_visible()

    def test_what_the_format_has_against_a_message_is_said_too(self, editor, whole):
        whole.fill(
            '{"messages": [{"role": "user", "content": "Hi"},\n'
            '{"role": "robot", "content": "x"}]}'
        )
        raw = editor.locator(".turn-editor__raw:visible")

        raw.get_by_text("“robot” is no role.").wait_for()
        assert raw.get_by_role("button", name="Line 2").is_visible()
        assert findings(editor) == []

    def test_what_is_no_row_stays_text_and_comes_back(self, editor, whole, example):
        whole.fill('{"messages": [')
        editor.get_by_role("button", name="Edit turn by turn").click()
        editor.locator(".whole-row").get_by_text("The line is not JSON").wait_for()
        editor.get_by_role("button", name="Save and continue editing").click()
        editor.locator(".errornote").wait_for()

        assert whole.input_value() == '{"messages": ['
        assert "The line is not JSON" in editor.locator(".errorlist").inner_text()

    def test_a_draft_of_it_is_taken_up_again(self, editor, whole):
        whole.fill('{"messages": []}')
        editor.wait_for_timeout(600)
        editor.on("dialog", lambda dialog: dialog.accept())
        editor.reload()
        editor.get_by_role("button", name="Take it up again").click()

        assert whole.input_value() == '{"messages": []}'

    def test_a_number_that_would_be_rounded_is_not_read(self, open_example):
        row = make_example(
            messages=[{"role": "assistant", "content": "x", "n": 12345678901234567890}]
        )
        page = open_example(row, shown="Messages")

        assert save(page, row).messages[0]["n"] == 12345678901234567890

    def test_tokens_are_counted_as_one_types(self, editor):
        turn(editor, 3).get_by_text("tokens").wait_for()
        before = editor.locator("[data-token-total]").inner_text()
        turn(editor, 3).get_by_label("Text").fill("Much longer than it was before.")

        editor.wait_for_function(
            "before => document.querySelector('[data-token-total]').innerText > before",
            arg=before,
        )
