import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from datasets_app import tasks
from datasets_app.checks import features as pure
from datasets_app.models import (
    BulkKind,
    CheckRun,
    Dataset,
    Example,
    ExampleFeatures,
    Finding,
    RunStatus,
)
from datasets_app.services import (
    checks,
    run_import,
    runs,
    save_example,
    start_import,
)
from datasets_app.services.bulk_edits import run_edit, start_edit
from datasets_app.services.checks import features
from datasets_app.services.review import decide
from teams_app.models import Role
from tests.factories import chat_lines, make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


def chat(question: str, answer: str) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


def check(dataset: Dataset) -> CheckRun:
    run = checks.request_check(dataset)
    checks.run_check(run)
    run.refresh_from_db()
    return run


def codes_of(example: Example) -> list[str]:
    return sorted(example.findings.values_list("code", flat=True))


def test_a_check_finds_and_counts():
    dataset = make_dataset()
    example = make_example(dataset=dataset, messages=chat("Who?", "kim@company.kr "))
    run = check(dataset)

    assert (run.status, run.n_rows, run.n_read) == (RunStatus.FINISHED, 1, 1)
    counts = {code: found["n"] for code, found in run.summary.items()}
    assert counts == {"email": 1, "too_few_rows": 1, "untrimmed_answer": 1}
    example.refresh_from_db()
    assert (codes_of(example), example.n_findings) == (["email", "untrimmed_answer"], 2)


def test_problems_of_structure_are_findings_too():
    example = make_example(messages=[{"role": "user", "content": "<|im_end|>"}])
    check(example.dataset)

    assert codes_of(example) == ["no_assistant", "reserved_token"]
    assert set(example.findings.values_list("severity", flat=True)) == {"error"}


def test_after_an_edit_only_that_row_is_read_again(monkeypatch):
    dataset = make_dataset()
    example, *_others = (make_example(dataset=dataset) for _row in range(5))
    check(dataset)
    read: list[Any] = []

    def counting(record: dict[str, Any]) -> pure.Features:
        read.append(record)
        return pure.features_of(record)

    monkeypatch.setattr(features, "features_of", counting)
    example.messages[-1]["content"] = "kim@company.kr"
    save_example(example, by=None)
    run = check(dataset)

    assert ([r["messages"] for r in read], run.n_read) == ([example.messages], 1)
    assert codes_of(example) == ["email"]


def test_a_finding_that_was_mended_is_gone():
    example = make_example(messages=chat("Who?", "kim@company.kr"))
    check(example.dataset)
    example.refresh_from_db()
    example.messages = chat("Who?", "Nobody.")
    save_example(example, by=None)
    check(example.dataset)
    example.refresh_from_db()

    assert (codes_of(example), example.n_findings) == ([], 0)


def test_a_row_in_the_bin_has_no_findings():
    example = make_example(messages=chat("Who?", "kim@company.kr"))
    check(example.dataset)
    Example.objects.filter(pk=example.pk).update(deleted_at=now())
    check(example.dataset)

    assert codes_of(example) == []
    assert Example.with_deleted.get(pk=example.pk).n_findings == 0


def test_rows_that_became_invalid_without_a_change_are_noticed():
    example = make_example()
    check(example.dataset)
    problem = {"code": "no_content", "message_index": 1, "params": {}}
    Example.objects.filter(pk=example.pk).update(is_valid=False, problems=[problem])
    check(example.dataset)

    assert codes_of(example) == ["no_content"]


def test_rows_that_older_checks_read_are_read_again(monkeypatch):
    example = make_example()
    check(example.dataset)
    monkeypatch.setattr(features, "CHECKS_VERSION", features.CHECKS_VERSION + 1)

    assert check(example.dataset).n_read == 1


def test_one_check_waits_at_a_time():
    dataset = make_dataset()
    assert checks.request_check(dataset) == checks.request_check(dataset)
    assert CheckRun.objects.count() == 1


def test_two_checks_of_a_dataset_do_not_run_at_once():
    dataset = make_dataset()
    first = checks.request_check(dataset)
    runs.claim(first)
    second = checks.request_check(dataset)
    checks.run_check(second)
    second.refresh_from_db()

    assert second.status == RunStatus.PENDING


def test_a_cancelled_check_stops_at_its_next_batch(monkeypatch):
    monkeypatch.setattr(features, "ROWS_AT_ONCE", 1)
    dataset = make_dataset()
    for _row in range(3):
        make_example(dataset=dataset)
    run = checks.request_check(dataset)
    store = features.store_features

    def store_and_cancel(*arguments: Any) -> None:
        store(*arguments)
        runs.cancel(run)

    monkeypatch.setattr(features, "store_features", store_and_cancel)
    checks.run_check(run)
    run.refresh_from_db()

    assert run.status == RunStatus.CANCELLED
    assert ExampleFeatures.objects.count() == 1


def test_a_check_whose_worker_died_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr(features, "ROWS_AT_ONCE", 1)
    dataset = make_dataset()
    for _row in range(3):
        make_example(dataset=dataset)
    run, store = checks.request_check(dataset), features.store_features

    def store_and_die(*arguments: Any) -> None:
        store(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(features, "store_features", store_and_die)
    with pytest.raises(KeyboardInterrupt):
        checks.run_check(run)
    monkeypatch.setattr(features, "store_features", store)
    long_ago = now() - timedelta(minutes=5)
    CheckRun.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
    checks.run_check(run)
    run.refresh_from_db()

    assert (run.status, run.n_attempts, run.n_rows) == (RunStatus.FINISHED, 2, 3)
    assert ExampleFeatures.objects.filter(is_compared=True).count() == 3


def test_a_check_that_ends_its_worker_again_and_again_fails():
    run = checks.request_check(make_dataset())
    CheckRun.objects.filter(pk=run.pk).update(n_attempts=runs.MAX_ATTEMPTS)
    checks.run_check(run)
    run.refresh_from_db()

    assert run.status == RunStatus.FAILED


def test_a_change_asks_for_a_check_of_a_dataset_that_was_checked_before():
    never, once = make_example(), make_example()
    check(once.dataset)
    for example in (never, once):
        example.messages = chat("Who?", "Nobody.")
        save_example(example, by=None)
        save_example(example, by=None)

    [waiting] = CheckRun.objects.filter(status=RunStatus.PENDING)
    assert waiting.dataset == once.dataset


def test_only_the_newest_checks_are_kept(monkeypatch):
    monkeypatch.setattr("datasets_app.services.checks.running.KEPT_RUNS", 2)
    dataset = make_dataset()
    made = [check(dataset) for _run in range(4)]

    assert set(CheckRun.objects.all()) == set(made[-2:])


def test_a_row_deleted_for_good_takes_its_findings_along():
    example = make_example(messages=chat("Who?", "kim@company.kr"))
    check(example.dataset)
    example.delete()

    assert not Finding.objects.filter(code="email").exists()


@pytest.mark.usefixtures("_tasks_at_once")
def test_the_tick_checks_what_rang_unheard():
    run = checks.request_check(make_dataset())
    CheckRun.objects.update(created_at=now() - timedelta(minutes=1))
    tasks.drive_runs()
    run.refresh_from_db()

    assert run.status == RunStatus.FINISHED


def test_saving_a_row_that_was_loaded_before_a_check_keeps_the_count():
    example = make_example(messages=chat("Who?", "kim@company.kr"))
    check(example.dataset)
    example.state = "approved"
    save_example(example, by=None)
    example.refresh_from_db()

    assert example.n_findings == 1


def test_a_row_whose_double_was_deleted_for_good_counts_no_finding():
    dataset = make_dataset()
    first, copy = (
        make_example(dataset=dataset, messages=chat("Who?", "I.")) for _n in range(2)
    )
    check(dataset)
    first.delete()
    check(dataset)
    copy.refresh_from_db()

    assert copy.n_findings == 0


def test_rejecting_a_row_asks_for_a_check():
    example = make_example()
    check(example.dataset)
    reviewer = make_member(Role.REVIEWER, example.dataset.team)
    decide(example, state="rejected", reason="Wrong.", by=reviewer)

    assert CheckRun.objects.filter(status=RunStatus.PENDING).exists()


def test_an_import_and_a_bulk_edit_ask_for_a_check():
    dataset = make_example().dataset
    check(dataset)
    file = io.BytesIO(chat_lines(2))
    run_import(
        start_import(dataset=dataset, file=file, file_name="rows.jsonl", split="train")
    )
    assert check(dataset).n_rows == 3
    edit = start_edit(dataset=dataset, kind=BulkKind.DELETE, by=None)
    run_edit(edit)

    assert CheckRun.objects.filter(status=RunStatus.PENDING).exists()
