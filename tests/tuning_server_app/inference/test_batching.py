"""Many answers at once: each as if it were alone, whatever happens to the others."""

import threading
from typing import Any

import pytest
import torch

from tests.tuning_server_app.inference.models import (
    answer,
    make_request,
    plainly_generated,
    user,
)
from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tuning_server_app.errors import ApiError
from tuning_server_app.inference import batch as batch_module
from tuning_server_app.inference.loaded_model import LoadedModel

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)

QUESTIONS = [
    ("피해는? How much?", "a"),
    ("The Nether Blade hits every unit for ten. " * 5, None),
    ("?", "b"),
    ("환불은 14일 안에 할 수 있습니다.", "a"),
    ("내일은 비가 옵니다. " * 4, "c"),
    ("How much damage does it do?", None),
]


def asked_at_once(engine: Any, requests: list[Any]) -> list[Any]:
    """The answers' texts, or what was raised instead, in the order of the requests.

    No question goes to the model before all are ready to.
    """
    answers: dict[int, Any] = {}
    all_ready = threading.Barrier(len(requests))
    make_question = engine._question

    def ready(*arguments: Any) -> Any:
        question = make_question(*arguments)
        all_ready.wait(60)
        return question

    engine._question = ready

    def ask(number: int) -> None:
        try:
            chat = engine.chat(requests[number])
            answers[number] = "".join(delta.text for delta in chat)
        except ApiError as error:
            answers[number] = error

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine._question = make_question
    return [answers[number] for number in range(len(requests))]


@pytest.fixture
def rows_of_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each reading of the model had."""
    seen: list[int] = []
    read = LoadedModel.read

    def counted(self: Any, tokens: Any, *rest: Any) -> Any:
        seen.append(len(tokens))
        return read(self, tokens, *rest)

    monkeypatch.setattr(LoadedModel, "read", counted)
    return seen


def test_answers_written_together_are_what_generate_writes_alone(
    engine, tiny_base, adapters_root, rows_of_steps
):
    requests = [make_request(messages=user(q), adapter=a) for q, a in QUESTIONS]

    answers = asked_at_once(engine, requests)

    assert max(rows_of_steps) > 1
    for (question, adapter), text in zip(QUESTIONS, answers, strict=True):
        folder = adapters_root / adapter if adapter else None
        assert text == plainly_generated(tiny_base, folder, user(question))


def test_a_question_joins_answers_that_are_being_written(engine, rows_of_steps):
    alone = answer(engine, messages=user("?"), adapter="b")
    long = engine.chat(make_request(max_tokens=150, adapter="a"))
    text = next(iter(long)).text

    assert answer(engine, messages=user("?"), adapter="b") == alone
    text += "".join(delta.text for delta in long)

    assert text == answer(engine, max_tokens=150, adapter="a")
    assert 2 in rows_of_steps


def test_a_long_question_is_read_in_pieces(
    engine, tiny_base, monkeypatch, rows_of_steps
):
    monkeypatch.setattr(batch_module, "PIECE_TOKENS", 16)
    question = user("The card game has units, items and a graveyard. " * 3)

    text = answer(engine, messages=question)

    assert text == plainly_generated(tiny_base, None, question)


def test_who_leaves_does_not_disturb_the_others(engine):
    alone = answer(engine, max_tokens=60)
    leaving = engine.chat(make_request(max_tokens=200, n=2, messages=user("x " * 40)))
    staying = engine.chat(make_request(max_tokens=60))
    leaving.close()

    assert "".join(delta.text for delta in staying) == alone


def test_a_draw_does_not_depend_on_who_else_is_there(engine):
    drawn = make_request(temperature=1.5, seed=5)
    alone = asked_at_once(engine, [drawn])

    others = [make_request(messages=user(q)) for q, _adapter in QUESTIONS]

    assert asked_at_once(engine, [*others, drawn])[-1:] == alone


def test_one_answer_that_fails_takes_no_other_along(engine):
    alone = answer(engine, adapter="a")
    loaded = engine._load("tiny").result()
    guilty = loaded.adapters.get(engine._adapter_folder("b"))

    def fails_half_way(_layer: Any, inputs: tuple[Any, ...]) -> None:
        used = [adapter for _rows, adapter in loaded._adapter_rows._groups]
        if guilty in used and inputs[0].shape[1] == 1:
            raise RuntimeError("boom")

    loaded.model.model.layers[1].register_forward_pre_hook(fails_half_way)

    good, bad, also_good = asked_at_once(
        engine, [make_request(adapter=name) for name in "aba"]
    )

    assert (good, also_good) == (alone, alone)
    assert (bad.status, bad.code) == (500, "answer_failed")


def test_when_memory_ends_the_last_that_came_has_to_go(engine, monkeypatch):
    alone = answer(engine, max_tokens=100)
    read = LoadedModel.read

    def has_room_for_one(self: Any, tokens: Any, *rest: Any) -> Any:
        if len(tokens) > 1:
            raise torch.OutOfMemoryError("no room")
        return read(self, tokens, *rest)

    monkeypatch.setattr(LoadedModel, "read", has_room_for_one)
    first = engine.chat(make_request(max_tokens=100))
    last = engine.chat(make_request(max_tokens=100, messages=user("?")))

    assert "".join(delta.text for delta in first) == alone
    with pytest.raises(ApiError) as refused:
        list(last)
    assert (refused.value.status, refused.value.code) == (503, "out_of_memory")


def test_more_choices_than_memory_are_refused(engine, monkeypatch):
    monkeypatch.setattr(engine._load("tiny").result(), "room", 200)

    with pytest.raises(ApiError, match="do not fit into memory") as refused:
        engine.chat(make_request(n=4, max_tokens=60))

    assert refused.value.param == "n"


def test_who_does_not_fit_beside_the_others_waits(engine, monkeypatch, rows_of_steps):
    monkeypatch.setattr(engine._load("tiny").result(), "room", 150)
    requests = [make_request(max_tokens=24, messages=user(q)) for q in "abcd"]

    answers = asked_at_once(engine, requests)

    assert all(answers)
    assert max(rows_of_steps) == 2


def test_a_batch_that_breaks_is_no_end(engine, monkeypatch):
    monkeypatch.setattr(batch_module, "_take", lambda *_: 1 / 0)
    monkeypatch.setattr(batch_module.Batch, "_read_on", lambda *_: 1 / 0)

    with pytest.raises(ApiError) as refused:
        answer(engine)
    monkeypatch.undo()

    assert refused.value.code == "answer_failed"
    assert answer(engine)
