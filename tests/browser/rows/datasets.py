"""Datasets, imports, checks and versions, as the pages show them."""

import json
from datetime import timedelta
from io import BytesIO

from django.urls import reverse
from django.utils.timezone import now

from datasets_app.models import (
    BaseModel,
    Dataset,
    DatasetVersion,
    Example,
    FreezeRun,
    ImportRun,
    Split,
)
from datasets_app.services import (
    bulk_edits,
    choose_base_model,
    freeze,
    run_freeze,
    run_import,
    save_example,
    start_freeze,
    start_import,
    store_upload,
)
from datasets_app.services.checks import (
    request_check,
    run_check,
    run_edit,
    start_mend,
)
from datasets_app.services.import_undo import undo_import
from teams_app.models import Team
from tests.factories import (
    chat_line,
    chat_lines,
    make_dataset,
    make_example,
)

KOREAN = chat_line("네더 블레이드는 무엇을 하나요?", "매 턴 두 공격을 모두 합니다.")
BROKEN = b'not json\n{"messages": []}\n'


def dataset_of(team: Team) -> Dataset:
    return imported(team).dataset


def imported(team: Team) -> ImportRun:
    run = start_import(
        dataset=make_dataset(team=team, name="Card game"),
        file=BytesIO(chat_lines(11) + KOREAN + BROKEN),
        file_name="card_game.jsonl",
        split=Split.TRAIN,
    )
    run_import(run)
    run.refresh_from_db()
    return run


def checked(team: Team) -> Dataset:
    """With findings of every kind of severity, one of which was mended."""
    dataset = dataset_of(team)
    leak = "Write to kim@company.kr, the password: hunter22! "
    turns = json.loads(chat_line("누구에게 쓰나요?", leak))["messages"]
    for _copy in range(2):
        make_example(dataset=dataset, messages=turns)
    make_example(dataset=dataset, messages=[{"role": "user", "content": "<|im_end|>"}])
    run_check(request_check(dataset))
    run_edit(start_mend(dataset, code="email", mend="mask_email", by=None))
    return dataset


def finding(team: Team) -> str:
    return reverse("datasets:preflight_code", args=[checked(team).pk, "secret"])


def rejected_line(team: Team) -> tuple[int, int]:
    done = imported(team)
    return done.pk, done.problems.order_by("pk")[0].pk


def waiting_import(team: Team) -> ImportRun:
    run = start_import(
        dataset=make_dataset(team=team, name="Card game"),
        file=BytesIO(chat_lines(3)),
        file_name="card_game.jsonl",
        split=Split.TRAIN,
    )
    ImportRun.objects.filter(pk=run.pk).update(created_at=now() - timedelta(minutes=1))
    return run


def undone_import(team: Team) -> ImportRun:
    run = imported(team)
    bulk_edits.run_edit(undo_import(run, by=None))
    return run


def uploaded(team: Team) -> ImportRun:
    tasks = make_dataset(team=team, name="Tasks")
    return store_upload(
        dataset=tasks, file=BytesIO(chat_lines(2) + BROKEN), file_name="chats.jsonl"
    )


def uploaded_table(team: Team) -> ImportRun:
    table = "질문,답변,출처\n얼마예요?,만 원입니다.,게시판\n".encode()
    dataset = make_dataset(team=team, name="Bookshop")
    return store_upload(dataset=dataset, file=BytesIO(table), file_name="표.csv")


def counting(team: Team) -> Dataset:
    """On its way to another model's tokens, with a row that is too long for it."""
    dataset = dataset_of(team)
    model = BaseModel.objects.get(team=team, name="babbage-002")
    model.training_context_tokens = 18
    model.save()
    choose_base_model(dataset, model, by=None)
    return dataset


def empty_dataset(team: Team) -> Dataset:
    return make_dataset(team=team)


def version(team: Team) -> DatasetVersion:
    return freeze(dataset=dataset_of(team), by=None)


def changed_version(team: Team) -> DatasetVersion:
    """A version that differs from the one before it in every way."""
    dataset = version(team).dataset
    changed, moved, removed, *_same = dataset.examples.all()
    changed.messages = [
        *changed.messages[:-1],
        {"role": "assistant", "content": "Answer 1, in other words."},
    ]
    save_example(changed, by=None)
    Example.objects.filter(pk=moved.pk).update(split=Split.VALIDATION)
    removed.delete()
    return freeze(dataset=dataset, by=None, note="정정")


def version_in_other_formats(team: Team) -> str:
    return reverse("datasets:version_export", args=[version(team).pk, "train"])


def versions_of_dataset(team: Team) -> Dataset:
    return changed_version(team).dataset


def removed_rows(team: Team) -> str:
    url = reverse("datasets:version_diff", args=[changed_version(team).pk])
    return f"{url}?kind=removed"


def waiting_freeze(team: Team) -> FreezeRun:
    return start_freeze(dataset=dataset_of(team), by=None, note="정정")


def failed_freeze(team: Team) -> FreezeRun:
    run = start_freeze(dataset=empty_dataset(team), by=None)
    run_freeze(run)
    return run
