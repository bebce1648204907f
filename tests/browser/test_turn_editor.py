"""The turn editor of the admin, as a curator uses it."""

import json

import pytest
from django.urls import reverse

from datasets_app.models import Example
from teams_app.models import Role
from tests.factories import make_example, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = '</textarea><img src=x onerror="alert(1)"><script>alert(2)</script>'
CALL = {"id": "c1", "type": "function", "function": {"name": "hp", "arguments": "{}"}}


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
def editor(page, sign_in, example):
    """The example's page, open; `save()` stores it and gives the row as it is then."""
    sign_in(make_member(Role.REVIEWER, example.dataset.team))
    page.goto(reverse("admin:datasets_app_example_change", args=[example.pk]))
    page.get_by_label("Turn 1", exact=True).wait_for()
    return page


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


def test_hostile_text_is_only_text(editor):
    assert texts(editor)[0] == HOSTILE
    assert editor.locator(".turn-editor img").count() == 0


def test_saving_untouched_changes_nothing(editor, example):
    before = example.content_hash

    assert save(editor, example).content_hash == before


def test_role_text_and_weight_are_changed(editor, example):
    turn(editor, 3).get_by_label("Text").fill("10 <b>피해</b>")
    turn(editor, 3).get_by_label("Learnt").select_option("0")
    turn(editor, 1).get_by_label("Role").select_option("user")
    messages = save(editor, example).messages

    assert messages[0] == {"role": "user", "content": HOSTILE}
    assert messages[2] == {
        "role": "assistant",
        "content": "10 <b>피해</b>",
        "weight": 0,
    }


def test_turns_are_added_moved_and_removed(editor, example):
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


def test_a_removed_turn_comes_back(editor, example):
    before = texts(editor)
    turn(editor, 1).get_by_role("button", name="Remove this turn").click()
    assert texts(editor) == before[1:]

    editor.get_by_role("button", name="Undo").click()
    assert texts(editor) == before


def test_tool_calls_are_edited_as_json(editor, example):
    other = turn(editor, 3).locator("details")
    other.locator("summary").click()
    area = other.get_by_role("textbox")
    area.fill('{"tool_calls": [')
    editor.get_by_role("button", name="Save and continue editing").click()
    assert area.get_attribute("aria-invalid") == "true"
    assert Example.objects.get().messages == example.messages  # not sent

    area.fill(json.dumps({"tool_calls": [CALL]}))
    messages = save(editor, example).messages
    assert messages[2]["tool_calls"] == [CALL]


def test_the_json_itself_can_be_edited(editor, example):
    editor.get_by_role("button", name="Edit as JSON").click()
    raw = editor.get_by_label("Messages")
    raw.fill('[{"role": "assistant", "content": "Short"}]')
    editor.get_by_role("button", name="Edit turn by turn").click()
    assert texts(editor) == ["Short"]

    assert save(editor, example).messages == [{"role": "assistant", "content": "Short"}]


def test_json_that_is_no_conversation_stays_json(editor):
    editor.get_by_role("button", name="Edit as JSON").click()
    editor.get_by_label("Messages").fill("[1,")
    editor.get_by_role("button", name="Edit turn by turn").click()

    assert editor.get_by_label("Messages").is_visible()
    assert editor.get_by_text("This JSON is no list of messages").is_visible()


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
