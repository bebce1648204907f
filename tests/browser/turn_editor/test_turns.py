"""The turns of an example, as a curator edits them."""

import json

import pytest
from django.urls import reverse

from datasets_app.models import Method
from datasets_app.services import save_example
from teams_app.models import Role
from tests.browser.turn_editor.editor import (
    HOSTILE,
    save,
    texts,
    turn,
)
from tests.factories import make_dataset, make_example, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class TestTurns:
    def test_hostile_text_is_only_text(self, editor):
        assert texts(editor)[0] == HOSTILE
        assert editor.locator(".turn-editor img").count() == 0

    def test_saving_untouched_changes_nothing(self, editor, example):
        before = example.content_hash

        assert save(editor, example).content_hash == before

    def test_role_text_and_weight_are_changed(self, editor, example):
        turn(editor, 3).get_by_label("Text").fill("10 <b>피해</b>")
        turn(editor, 3).get_by_label("Learnt").last.select_option("0")
        turn(editor, 1).get_by_label("Role").select_option("user")
        messages = save(editor, example).messages

        assert messages[0] == {"role": "user", "content": HOSTILE}
        assert messages[2] == {
            "role": "assistant",
            "content": "10 <b>피해</b>",
            "weight": 0,
        }

    def test_turns_are_added_moved_and_removed(self, editor, example):
        editor.get_by_role("button", name="Add a turn").click()
        turn(editor, 4).get_by_label("Text").fill("And an area attack?")
        editor.get_by_role("button", name="Add a turn").click()
        turn(editor, 5).get_by_label("Text").fill("10 damage.")
        turn(editor, 2).get_by_role("button", name="Move up").click()
        turn(editor, 2).get_by_role("button", name="Remove this turn").click()
        messages = save(editor, example).messages

        assert [(each["role"], each["content"]) for each in messages] == [
            ("user", "네더 블레이드는?"),
            ("assistant", "20 damage."),
            ("user", "And an area attack?"),
            ("assistant", "10 damage."),
        ]

    def test_removed_turns_come_back(self, editor):
        before = texts(editor)
        turn(editor, 1).get_by_role("button", name="Remove this turn").click()
        turn(editor, 1).get_by_role("button", name="Remove this turn").click()
        assert texts(editor) == before[2:]

        editor.get_by_role("button", name="Undo").click()
        editor.get_by_role("button", name="Undo").click()
        assert texts(editor) == before

    def test_a_turn_is_duplicated(self, editor):
        turn(editor, 2).get_by_role("button", name="Duplicate this turn").click()

        assert texts(editor)[1:3] == ["네더 블레이드는?"] * 2

    def test_further_keys_of_a_message_go_where_it_goes(self, open_example, example):
        example.extra = {"source": "forum", "messages": {"2": {"id": 7}}}
        save_example(example, by=None)
        page = open_example(example)
        turn(page, 2).get_by_role("button", name="Remove this turn").click()
        extra = page.locator("#id_extra")
        assert json.loads(extra.input_value()) == {"source": "forum"}

        page.get_by_role("button", name="Undo").click()
        turn(page, 2).get_by_role("button", name="Move up").click()
        notes = save(page, example).extra["messages"]
        assert notes == {"1": {"id": 7}}

    def test_a_name_is_given(self, editor, example):
        turn(editor, 2).get_by_role("button", name="Add a name").click()
        turn(editor, 2).get_by_label("Name").fill("ann")

        assert save(editor, example).messages[1]["name"] == "ann"

    def test_keys_go_from_turn_to_turn_and_save(self, editor, example):
        turn(editor, 1).get_by_label("Text").focus()
        editor.keyboard.press("Alt+ArrowDown")
        editor.keyboard.press("Alt+Shift+ArrowDown")
        assert texts(editor)[2] == "네더 블레이드는?"

        editor.keyboard.press("Control+s")
        editor.get_by_text("was changed successfully").wait_for()
        example.refresh_from_db()
        assert example.messages[2]["content"] == "네더 블레이드는?"

    def test_a_turn_is_dragged_to_another_place(self, editor, example):
        handle = turn(editor, 1).get_by_role("button", name="Drag turn")
        start, end = handle.bounding_box(), turn(editor, 3).bounding_box()
        editor.mouse.move(start["x"] + 5, start["y"] + 5)
        editor.mouse.down()
        editor.mouse.move(start["x"] + 5, end["y"] + end["height"] - 5, steps=4)
        assert "turn-editor__turn--behind" in turn(editor, 3).get_attribute("class")
        editor.mouse.up()

        assert texts(editor) == ["네더 블레이드는?", "20 damage.", HOSTILE]
        assert save(editor, example).messages[2]["role"] == "system"

    def test_a_drag_is_given_up_with_escape(self, editor):
        before = texts(editor)
        handle = turn(editor, 1).get_by_role("button", name="Drag turn")
        start, end = handle.bounding_box(), turn(editor, 3).bounding_box()
        editor.mouse.move(start["x"] + 5, start["y"] + 5)
        editor.mouse.down()
        editor.mouse.move(start["x"] + 5, end["y"] + end["height"] - 5, steps=4)
        editor.keyboard.press("Escape")
        editor.mouse.up()

        assert texts(editor) == before

    def test_a_turn_is_carried_with_the_keyboard(self, editor):
        turn(editor, 1).get_by_role("button", name="Drag turn").focus()
        for key in ("Enter", "ArrowDown", "ArrowDown", "ArrowDown"):
            editor.keyboard.press(key)
        held = turn(editor, 3).get_by_role("button", name="Drag turn")
        assert held.get_attribute("aria-pressed") == "true"
        assert texts(editor)[2] == HOSTILE

        editor.keyboard.press("Escape")
        assert texts(editor)[0] == HOSTILE
        assert editor.get_by_text("Put back where it was.").is_visible()

    def test_the_next_example_follows(self, editor, example):
        following = make_example(dataset=example.dataset)
        turn(editor, 3).get_by_label("Text").fill("Better")
        editor.get_by_role("button", name="Save and next").click()
        editor.wait_for_url(f"**/{following.pk}/change/**")
        example.refresh_from_db()

        assert example.messages[2]["content"] == "Better"

    def test_it_fits_a_narrow_screen(self, editor):
        editor.set_viewport_size({"width": 360, "height": 800})

        assert editor.evaluate("document.documentElement.scrollWidth") <= 360


class TestMethods:
    def test_the_answers_of_a_dpo_row_are_edited(self, open_example):
        row = make_example(
            dataset=make_dataset(method=Method.DPO),
            messages=[{"role": "user", "content": "Hi"}],
            preferred_output=[{"role": "assistant", "content": "Hello!"}],
            non_preferred_output=[{"role": "assistant", "content": "What."}],
        )
        page = open_example(row)
        answers = page.get_by_label("Answer", exact=True)
        answers.nth(1).get_by_label("Text").fill("Go away.")
        row = save(page, row)

        assert row.non_preferred_output[0]["content"] == "Go away."
        assert row.preferred_output[0]["content"] == "Hello!"
        assert row.is_valid


def test_without_javascript_the_json_is_edited(browser, sign_in, live_server, example):
    user = make_member(Role.REVIEWER, example.dataset.team)
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(reverse("login"))
    user.set_password("secret-enough")
    user.save()
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("secret-enough")
    page.get_by_role("button", name="Sign in").last.click()
    page.goto(reverse("admin:datasets_app_example_change", args=[example.pk]))
    page.get_by_label("Messages").fill('[{"role": "assistant", "content": "Short"}]')
    messages = save(page, example).messages
    context.close()

    assert messages == [{"role": "assistant", "content": "Short"}]
