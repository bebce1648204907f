from typing import Any

import pytest
from django.urls import reverse

from datasets_app.models import (
    BulkEdit,
    CheckRun,
    Example,
    RunStatus,
    Split,
)
from datasets_app.services import checks
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db

LEAK = "Write to kim@company.kr, the password: hunter22!"


def chat(question: str, answer: str) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


@pytest.fixture
def dataset():
    return make_dataset()


@pytest.fixture
def curator(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


def check(dataset) -> None:
    checks.run_check(checks.request_check(dataset))


def show(client, dataset, code: str = "") -> str:
    name = "datasets:preflight_code" if code else "datasets:preflight"
    response = client.get(reverse(name, args=[dataset.pk, *([code] if code else [])]))
    assert response.status_code == 200
    return response.content.decode()


def mend(client, dataset, code: str, how: str, example: Any = "") -> None:
    data = {"code": code, "mend": how, "example": example}
    response = client.post(reverse("datasets:mend", args=[dataset.pk]), data)
    assert response.status_code == 302


def test_a_dataset_that_was_never_checked_says_so(curator, dataset):
    assert "never checked" in show(curator, dataset)


@pytest.mark.usefixtures("_tasks_at_once")
def test_a_check_is_asked_for_by_a_button(
    curator, dataset, django_capture_on_commit_callbacks
):
    make_example(dataset=dataset, messages=chat("Who?", LEAK))
    with django_capture_on_commit_callbacks(execute=True):
        curator.post(reverse("datasets:preflight_check", args=[dataset.pk]))

    text = show(curator, dataset)
    assert "There is an e-mail address in the text." in text
    assert "k…@company.kr" in text


def test_what_is_private_is_shown_masked(curator, dataset):
    make_example(dataset=dataset, messages=chat("Who?", LEAK))
    check(dataset)
    for code in ("", "email", "secret"):
        text = show(curator, dataset, code)
        assert "kim@company.kr" not in text
        assert "hunter22!" not in text


def test_a_finding_leads_to_the_row_and_to_the_list(curator, dataset):
    example = make_example(dataset=dataset, messages=chat("Who?", LEAK))
    check(dataset)
    text = show(curator, dataset)
    editor = reverse("admin:datasets_app_example_change", args=[example.pk])

    assert f"{editor}#message-2" in text
    assert f"?dataset={dataset.pk}&amp;finding=email" in text


def test_a_finding_shows_the_message_that_it_is_about(curator, dataset):
    turns = [{"role": "system", "content": "Be brief."}, *chat("Who?", "To: a@b.kr")]
    make_example(dataset=dataset, messages=turns)
    check(dataset)
    for code in ("", "email"):
        text = show(curator, dataset, code)
        assert ">To: " in text
        assert "Be brief." not in text


def test_a_finding_of_the_whole_row_shows_its_question(curator, dataset):
    turns = [{"role": "system", "content": "Be brief."}, *chat("Which one?", "Both.")]
    for _copy in range(2):
        make_example(dataset=dataset, messages=turns)
    check(dataset)
    text = show(curator, dataset, "exact_duplicate")

    assert text.count(">Which one?<") == 2  # this row, and the other one
    assert "Be brief." not in text


def test_all_rows_of_a_finding_have_a_page(curator, dataset):
    for number in range(30):
        make_example(dataset=dataset, messages=chat(f"Who {number}?", LEAK))
    check(dataset)
    text = show(curator, dataset, "email")

    assert text.count('class="finding"') == 25
    assert "after=" in text


def test_a_finding_that_does_not_exist_has_no_page(curator, dataset):
    address = reverse("datasets:preflight_code", args=[dataset.pk, "nonsense"])
    assert curator.get(address).status_code == 404


def test_hostile_text_is_shown_as_text(curator, dataset):
    make_example(dataset=dataset, messages=chat("<script>alert(1)</script>", LEAK))
    check(dataset)
    for code in ("", "email"):
        assert "<script>alert" not in show(curator, dataset, code)


def test_the_page_asks_as_many_questions_for_many_findings(
    curator, dataset, django_assert_max_num_queries
):
    make_example(dataset=dataset, messages=chat("Who?", LEAK))
    for number in range(20):
        make_example(dataset=dataset, messages=chat(f"누구 {number}?", LEAK + "\n"))
    check(dataset)
    with django_assert_max_num_queries(12):
        show(curator, dataset)


def test_a_viewer_sees_but_mends_nothing(client, dataset):
    make_example(dataset=dataset, messages=chat("Who?", LEAK))
    check(dataset)
    client.force_login(make_member(Role.VIEWER, dataset.team))

    assert "Replace by a placeholder" not in show(client, dataset)
    data = {"code": "email", "mend": "mask_email"}
    address = reverse("datasets:mend", args=[dataset.pk])
    assert client.post(address, data).status_code == 403


def test_one_row_is_mended(curator, dataset):
    one, other = (
        make_example(dataset=dataset, messages=chat(f"Who {n}?", LEAK)) for n in "12"
    )
    check(dataset)
    mend(curator, dataset, "email", "mask_email", one.pk)
    one.refresh_from_db()
    other.refresh_from_db()

    assert one.messages[1]["content"] == LEAK.replace("kim@company.kr", "[EMAIL]")
    assert other.messages[1]["content"] == LEAK
    assert CheckRun.objects.filter(status=RunStatus.PENDING).count() == 1


def test_all_rows_are_mended_as_one_step_that_is_undone(curator, dataset):
    rows = [
        make_example(dataset=dataset, messages=chat(f"Who {n}?", LEAK)) for n in "12"
    ]
    check(dataset)
    mend(curator, dataset, "email", "mask_email")
    edit = BulkEdit.objects.get()
    assert (edit.kind, edit.n_changed) == ("mend", 2)
    assert "Undo" in show(curator, dataset)
    curator.post(reverse("datasets:mend_undo", args=[edit.pk]))

    for row in rows:
        row.refresh_from_db()
        assert row.messages[1]["content"] == LEAK


def test_a_mend_that_the_finding_does_not_have_is_refused(curator, dataset):
    make_example(dataset=dataset, messages=chat("Who?", LEAK))
    check(dataset)
    mend(curator, dataset, "email", "remove")

    assert not BulkEdit.objects.exists()
    assert "There is no such mend" in show(curator, dataset)


def test_copies_are_removed_and_the_first_stays(curator, dataset):
    first, *_copies = (
        make_example(dataset=dataset, messages=chat("Who?", "I.")) for _n in range(3)
    )
    check(dataset)
    mend(curator, dataset, "exact_duplicate", "remove")

    assert list(Example.objects.filter(dataset=dataset)) == [first]


def test_a_copy_whose_original_is_gone_by_now_stays(curator, dataset):
    first, copy = (
        make_example(dataset=dataset, messages=chat("Who?", "I.")) for _n in range(2)
    )
    check(dataset)
    Example.objects.filter(pk=first.pk).update(deleted_at="2026-01-01T00:00Z")
    mend(curator, dataset, "exact_duplicate", "remove")

    assert list(Example.objects.filter(dataset=dataset)) == [copy]


@pytest.mark.parametrize("changed", [0, 1])
def test_a_copy_that_is_none_any_more_stays(curator, dataset, changed):
    rows = [
        make_example(dataset=dataset, messages=chat("Who?", "I.")) for _n in range(2)
    ]
    check(dataset)
    Example.objects.filter(pk=rows[changed].pk).update(content_hash="f" * 64)
    mend(curator, dataset, "exact_duplicate", "remove")

    assert Example.objects.filter(dataset=dataset).count() == 2


def test_a_validation_row_that_is_trained_on_moves_to_training(curator, dataset):
    make_example(dataset=dataset, messages=chat("Who?", "I."))
    row = make_example(
        dataset=dataset, messages=chat("Who?", "I."), split=Split.VALIDATION
    )
    check(dataset)
    mend(curator, dataset, "overlap_exact", "to_training", row.pk)
    row.refresh_from_db()

    assert row.split == Split.TRAIN


def test_what_is_cut_off_a_long_row_is_shown(curator, dataset, monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.sets.DEFAULT_CONTEXT_TOKENS", 60)
    answer = " ".join(f"word{n}" for n in range(60))
    make_example(dataset=dataset, messages=chat("Who?", answer))
    check(dataset)
    text = show(curator, dataset, "too_long_for_model")

    assert "from message 2 on" in text
    assert "word59</blockquote>" in text
    assert "word2 " not in text.split("<blockquote")[1]


def test_the_state_of_a_check_is_asked_for_until_it_ends(curator, dataset):
    run = checks.request_check(dataset)
    address = reverse("datasets:preflight", args=[dataset.pk])
    part = curator.get(address, headers={"HX-Request": "true"})
    assert 'hx-trigger="every 1s"' in part.content.decode()
    checks.run_check(run)
    ended = curator.get(address, headers={"HX-Request": "true"})
    assert ended.headers["HX-Refresh"] == "true"


def test_a_check_is_cancelled_by_a_button(curator, dataset):
    run = checks.request_check(dataset)
    curator.post(reverse("datasets:check_cancel", args=[run.pk]))
    run.refresh_from_db()

    assert run.status == RunStatus.CANCELLED


@pytest.mark.parametrize("is_checked", [False, True])
def test_before_freezing_the_open_findings_are_told(client, dataset, is_checked):
    client.force_login(make_member(Role.REVIEWER, dataset.team))
    make_example(dataset=dataset, messages=chat("Who?", LEAK))
    if is_checked:
        check(dataset)
    text = client.get(reverse("datasets:freeze", args=[dataset.pk])).content.decode()

    assert ("found 1 error and 1 warning" in text) == is_checked
    assert ("never checked" in text) != is_checked
