"""Unsaved work is kept, and two people's work is put together."""

import pytest
from django.urls import reverse

from datasets_app.services import save_example
from teams_app.models import Role
from tests.browser.test_accessibility import findings, overhang
from tests.browser.turn_editor.editor import drafts, save, texts, turn
from tests.factories import make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
