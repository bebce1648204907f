import threading

import pytest

from tests.tuning_server_app.inference.models import (
    answer,
    make_request,
    plainly_generated,
)
from tests.tuning_server_app.tiny_model import NAME, PEFT_WARNING
from tuning_server_app.errors import ApiError
from tuning_server_app.inference import adapters as adapters_module
from tuning_server_app.inference import engine as engine_module
from tuning_server_app.inference.engine import Busy

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


@pytest.mark.parametrize("adapter", [None, "a", "b"])
def test_a_greedy_answer_is_what_generate_writes(
    engine, tiny_base, adapters_root, adapter
):
    folder = adapters_root / adapter if adapter else None

    assert answer(engine, adapter=adapter) == plainly_generated(tiny_base, folder)


def test_adapters_and_base_do_not_mix_when_they_take_turns(engine):
    alone = {adapter: answer(engine, adapter=adapter) for adapter in (None, "a", "b")}
    turns = [None, "b", "a", None, "a", "b"]

    answers = [answer(engine, adapter=adapter) for adapter in turns]

    assert answers == [alone[adapter] for adapter in turns]
    assert len(set(alone.values())) == 3


def test_adapters_not_asked_for_lately_are_dropped_and_come_back(engine, monkeypatch):
    monkeypatch.setattr(adapters_module, "KEPT_BYTES", 1)
    first = [answer(engine, adapter=adapter) for adapter in "abc"]

    assert [answer(engine, adapter=adapter) for adapter in "abc"] == first


def test_many_at_once_each_get_their_own_answer(engine):
    expected = {adapter: answer(engine, adapter=adapter) for adapter in "abc"}
    answers: list[tuple[str, str]] = []

    def ask(adapter: str) -> None:
        answers.append((adapter, answer(engine, adapter=adapter)))

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcabcabc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 9
    assert all(expected[adapter] == text for adapter, text in answers)


def test_an_answer_that_fills_its_room_ends_for_length(engine):
    *_, last = engine.chat(make_request(max_tokens=5))

    assert (last.finish_reason, last.completion_tokens) == ("length", 5)


def test_an_answer_cannot_outgrow_the_context(engine):
    chat = engine.chat(make_request(max_tokens=10_000, adapter="a"))
    *_, last = chat

    assert chat.prompt_tokens + last.completion_tokens <= 256


def test_an_answer_ends_before_its_stop_text(engine):
    whole = answer(engine)
    stop = whole[5:8]

    *deltas, last = engine.chat(make_request(stop=(stop,)))

    assert "".join(delta.text for delta in [*deltas, last]) == whole.split(stop)[0]
    assert last.finish_reason == "stop"


def test_the_same_seed_draws_the_same_answer_and_another_does_not(engine):
    def drawn(seed: int) -> str:
        return answer(engine, temperature=1.5, seed=seed)

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_several_choices_differ_and_each_is_ended(engine):
    deltas = list(engine.chat(make_request(n=3, temperature=1.5, seed=1)))

    texts = [
        "".join(delta.text for delta in deltas if delta.index == index)
        for index in range(3)
    ]
    assert len(set(texts)) == 3
    ended = [delta.index for delta in deltas if delta.finish_reason]
    assert sorted(ended) == [0, 1, 2]


def test_closing_a_chat_ends_its_writing(engine):
    chat = engine.chat(make_request(max_tokens=200, n=16))
    chat.close()

    assert sum(1 for _ in chat) < 200 * 16
    assert answer(engine)  # and the engine goes on


def test_a_chat_whose_client_is_gone_is_not_written(engine):
    chat = engine.chat(make_request(max_tokens=200), is_abandoned=lambda: True)

    assert not list(chat)


def test_too_many_waiting_are_turned_away(make_engine, monkeypatch):
    monkeypatch.setattr(engine_module, "MAX_CHATS", 1)
    small = make_engine()
    chat = small.chat(make_request(max_tokens=200, n=16))

    with pytest.raises(Busy):
        small.chat(make_request())
    chat.close()


def test_too_long_a_conversation_is_explained(engine):
    long = [{"role": "user", "content": "x " * 300}]

    with pytest.raises(ApiError, match="at most 256") as refused:
        engine.chat(make_request(messages=long))

    assert refused.value.code == "context_length_exceeded"


def test_an_unknown_base_model_is_refused(engine):
    with pytest.raises(ApiError, match="no base model gpt-4; known: tiny"):
        engine.chat(make_request(base="gpt-4"))


@pytest.mark.parametrize("adapter", ["nowhere", "../a", "/etc", "a/../../a", ""])
def test_only_adapters_below_the_root_can_be_named(engine, adapter):
    with pytest.raises(ApiError) as refused:
        engine.chat(make_request(adapter=adapter))

    assert refused.value.status == 404


def test_a_link_that_leads_out_of_the_root_is_refused(engine, adapters_root, tmp_path):
    (tmp_path / "adapter_model.safetensors").touch()
    (adapters_root / "link").symlink_to(tmp_path)

    with pytest.raises(ApiError, match="no weights at link"):
        engine.chat(make_request(adapter="link"))


def test_a_place_is_free_again_after_an_answer_and_after_a_refusal(
    make_engine, monkeypatch
):
    monkeypatch.setattr(engine_module, "MAX_CHATS", 1)
    small = make_engine()
    with pytest.raises(ApiError):
        small.chat(make_request(messages=[{"role": "robot", "content": "?"}]))

    assert answer(small)
    assert answer(small)


def test_a_text_that_cannot_fit_is_refused_unread(engine, monkeypatch):
    monkeypatch.setattr(engine_module, "render_prompt", None)
    longest = engine._load(NAME).result().longest_token
    messages = [{"role": "user", "content": "a" * 256 * (longest + 1)}]

    with pytest.raises(ApiError, match="characters") as refused:
        engine.chat(make_request(messages=messages))

    assert refused.value.code == "context_length_exceeded"
