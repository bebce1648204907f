"""The editor of one example, as a curator uses it."""

import json
from base64 import b64decode

import pytest
from django.urls import reverse

from datasets_app.models import Example, Method
from datasets_app.services import save_example
from teams_app.models import Role
from tests.browser.test_accessibility import findings, overhang
from tests.factories import make_dataset, make_example, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = '</textarea><img src=x onerror="alert(1)"><script>alert(2)</script>'
CALL = {"id": "c1", "type": "function", "function": {"name": "hp", "arguments": "{}"}}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42"
    "mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOL = {
    "type": "function",
    "function": {
        "name": "hp",
        "parameters": {
            "type": "object",
            "properties": {
                "unit": {"type": "string"},
                "n": {"type": "integer"},
                "side": {"enum": ["left", "right"]},
            },
            "required": ["unit"],
        },
    },
}


@pytest.fixture
def example() -> Example:
    return make_example(
        messages=[
            {"role": "system", "content": HOSTILE},
            {"role": "user", "content": "네더 블레이드는?"},
            {"role": "assistant", "content": "20 damage."},
        ]
    )


@pytest.fixture
def open_example(page, sign_in):
    """Opens the page of an example as a member of its team."""

    def open_example(row: Example, shown: str = "Turn 1"):
        sign_in(make_member(Role.REVIEWER, row.dataset.team))
        page.goto(reverse("admin:datasets_app_example_change", args=[row.pk]))
        page.get_by_label(shown).first.wait_for()
        return page

    return open_example


@pytest.fixture
def editor(open_example, example):
    """The example's page, open; `save()` stores it and gives the row as it is then."""
    return open_example(example)


def save(page, example: Example) -> Example:
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_text("was changed successfully").wait_for()
    example.refresh_from_db()
    return example


def texts(page) -> list[str]:
    boxes = page.locator(".turn-editor__content")
    return [boxes.nth(n).input_value() for n in range(boxes.count())]


def turn(page, number: int):
    return page.get_by_label(f"Turn {number}", exact=True)


def drafts(page) -> list[str]:
    """The keys of the drafts that the browser keeps."""
    keys = page.evaluate("Object.keys(localStorage)")
    return [key for key in keys if key.startswith("finetune-site:draft:")]


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


class TestUnsavedWork:
    def test_it_survives_a_closed_tab(self, editor, example, context):
        turn(editor, 3).get_by_label("Text").fill("Half an ans")
        editor.wait_for_timeout(600)
        address = editor.url
        editor.close(run_before_unload=False)
        again = context.new_page()
        again.goto(address)
        again.get_by_text("There is unsaved work of yours").wait_for()
        assert again.get_by_text(
            "turns that differ: 1 (now 3, in the draft 3)"
        ).is_visible()
        assert texts(again)[2] == "20 damage."

        again.get_by_role("button", name="Take it up again").click()
        assert texts(again)[2] == "Half an ans"
        assert save(again, example).messages[2]["content"] == "Half an ans"
        assert again.get_by_text("There is unsaved work").count() == 0

    def test_a_draft_outlives_what_is_typed_before_it_is_taken_up(self, editor):
        editor.on("dialog", lambda dialog: dialog.accept())
        for text in ("First", "Second"):
            turn(editor, 3).get_by_label("Text").fill(text)
            editor.wait_for_timeout(600)
            editor.reload()
            turn(editor, 1).wait_for()

        assert editor.get_by_role("button", name="Take it up again").count() == 2
        editor.get_by_role("button", name="Take it up again").first.click()
        assert texts(editor)[2] == "First"

    def test_what_is_saved_is_forgotten(self, editor, example):
        turn(editor, 3).get_by_label("Text").fill("Done")
        save(editor, example)
        example.messages[2]["content"] = "Changed by another"
        save_example(example, by=None)
        editor.reload()
        turn(editor, 1).wait_for()

        assert editor.get_by_text("There is unsaved work").count() == 0

    def test_it_is_discarded(self, editor):
        turn(editor, 3).get_by_label("Text").fill("Nonsense")
        editor.wait_for_timeout(600)
        editor.on("dialog", lambda dialog: dialog.accept())
        editor.reload()
        editor.get_by_role("button", name="Discard it").click()
        editor.reload()
        turn(editor, 1).wait_for()

        assert editor.get_by_text("There is unsaved work").count() == 0

    def test_a_draft_of_an_older_state_meets_the_conflict(self, editor, example):
        turn(editor, 3).get_by_label("Text").fill("Mine")
        editor.wait_for_timeout(600)
        example.messages[2]["content"] = "Theirs"
        save_example(example, by=None)
        editor.on("dialog", lambda dialog: dialog.accept())
        editor.reload()
        editor.get_by_role("button", name="Take it up again").click()
        editor.get_by_role("button", name="Save and continue editing").click()

        editor.get_by_text("both of you changed this").wait_for()
        example.refresh_from_db()
        assert example.messages[2]["content"] == "Theirs"

    def test_it_is_deleted_at_sign_out_but_not_unasked(self, editor):
        answers = [False, True]
        editor.on(
            "dialog",
            lambda dialog: dialog.accept() if answers.pop(0) else dialog.dismiss(),
        )
        turn(editor, 3).get_by_label("Text").fill("Half an ans")
        editor.locator("[popovertarget=account-menu]").click()
        editor.get_by_role("button", name="Sign out").click()
        assert len(drafts(editor)) == 1
        editor.get_by_role("button", name="Sign out").click()
        editor.wait_for_url("**/sign-in/**")

        assert (drafts(editor), answers) == ([], [])

    def test_another_person_never_meets_it_but_its_author_does(
        self, editor, example, sign_in, context
    ):
        author = example.dataset.team.members.get()
        turn(editor, 3).get_by_label("Text").fill("Half an ans")
        editor.wait_for_timeout(600)
        editor.on("dialog", lambda dialog: dialog.accept())
        context.clear_cookies()  # the session ends
        editor.goto(reverse("login"))
        assert len(drafts(editor)) == 1
        sign_in(author)
        editor.goto(reverse("home"))
        assert len(drafts(editor)) == 1

        sign_in(make_member(Role.CURATOR, example.dataset.team))
        editor.goto(reverse("home"))
        assert drafts(editor) == []

    def test_leaving_with_unsaved_work_is_asked_about(self, editor):
        asked = []

        def answer(dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        editor.on("dialog", answer)
        turn(editor, 3).get_by_label("Text").click()
        editor.keyboard.type("More")
        editor.reload()

        assert asked == ["beforeunload"]


class TestOtherPeople:
    def test_a_conflict_is_shown_and_resolved(self, editor, example):
        ann = make_member(Role.CURATOR, example.dataset.team, username="ann")
        turn(editor, 3).get_by_label("Text").fill("Mine")
        example.messages[1]["content"] = "Their question"
        example.messages[2]["content"] = "Their answer"
        save_example(example, by=ann)
        editor.get_by_role("button", name="Save and continue editing").click()
        editor.get_by_role("radio", name="As ann has it").check()
        editor.get_by_role("button", name="Edit them first").click()
        turn(editor, 3).wait_for()
        assert texts(editor)[1:] == ["Their question", "Their answer"]

        turn(editor, 3).get_by_label("Text").fill("Ours")
        messages = save(editor, example).messages
        assert [each["content"] for each in messages[1:]] == ["Their question", "Ours"]

    def test_the_choice_between_two_changes_is_usable_by_all(self, editor, example):
        turn(editor, 3).get_by_label("Text").fill("Mine")
        example.messages[2]["content"] = "Theirs"
        save_example(example, by=None)
        editor.set_viewport_size({"width": 360, "height": 740})
        editor.get_by_role("button", name="Save and continue editing").click()
        editor.get_by_text("both of you changed this").wait_for()

        assert findings(editor) == []
        assert overhang(editor) <= 0

    def test_an_earlier_state_is_restored(self, editor, example):
        turn(editor, 3).get_by_label("Text").fill("Worse")
        save(editor, example)
        editor.get_by_role("link", name="All changes").click()
        editor.get_by_role("button", name="Restore this state").click()
        editor.get_by_text("The earlier state is back").wait_for()
        example.refresh_from_db()

        assert example.messages[2]["content"] == "20 damage."


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
