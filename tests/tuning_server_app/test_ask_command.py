"""./manage.py ask: words as they come, and in plain words why none do."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.tuning_server_app.factories import BASE, make_model
from tuning_server_app import inference_client
from tuning_server_app.errors import ApiError
from tuning_server_app.inference_client import InferenceDown
from tuning_server_app.management.commands.ask import _reason

pytestmark = pytest.mark.django_db

WORD = b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n'
NO_WORD = b'data: {"choices": [{"delta": {"role": "assistant"}}]}\n\n'
END = b"data: [DONE]\n\n"


class Engine:
    """The inference process: remembers the question, answers in pieces."""

    def __init__(self, *pieces: bytes, is_stream: bool = True) -> None:
        self.is_stream = is_stream
        self.heard: dict[str, Any] = {}
        self._pieces = pieces

    def ask(self, body: dict[str, Any], **weights: Any) -> "Engine":
        self.heard = {**body, **weights}
        return self

    def chunks(self) -> Iterator[bytes]:
        yield from self._pieces

    def read(self) -> bytes:
        return b"".join(self._pieces)


class Terminal(io.StringIO):
    """Remembers what stood there whenever it was told to show it."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def flush(self) -> None:
        self.shown.append(self.getvalue())


Ask = Callable[..., Engine]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Ask:
    def engine(*pieces: bytes, **options: Any) -> Engine:
        made = Engine(*pieces, **options)
        monkeypatch.setattr(inference_client, "ask", made.ask)
        return made

    return engine


def ask(*arguments: str, model: str = BASE) -> Terminal:
    out = Terminal()
    call_command("ask", model, "Who?", *arguments, stdout=out)
    return out


def test_words_are_shown_as_they_come(engine: Ask):
    engine(NO_WORD + WORD % b"Nobody", b": still there\n\n", WORD % b" here.", END)
    shown = ask().shown
    assert "Nobody" in shown
    assert shown[-1] == "Nobody here."


def test_the_answer_ends_with_its_line(engine: Ask):
    engine(WORD % b"I.", END)
    assert ask().getvalue() == "I.\n"


@pytest.mark.parametrize("at", [3, 20, 60, -5])
def test_a_word_may_come_in_two_pieces(engine: Ask, at: int):
    whole = WORD % "누구".encode() + END
    engine(whole[:at], whole[at:])
    assert ask().getvalue() == "누구\n"


def test_the_question_goes_to_the_model_with_what_it_is_told_beforehand(engine: Ask):
    tuned = make_model()
    asked = engine(END)
    ask("--system", "Be brief.", model=tuned.name)
    assert asked.heard["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who?"},
    ]
    assert (asked.heard["base_model"], asked.heard["adapter"]) == (BASE, tuned.adapter)


def test_without_a_word_beforehand_the_question_goes_alone(engine: Ask):
    asked = engine(END)
    ask()
    assert asked.heard["messages"] == [{"role": "user", "content": "Who?"}]


@pytest.mark.parametrize("error", [InferenceDown("It rests."), ApiError(429, "Busy.")])
def test_why_there_is_no_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def refuse(*_body: Any, **_weights: Any) -> None:
        raise error

    monkeypatch.setattr(inference_client, "ask", refuse)
    with pytest.raises(CommandError, match=r"^(It rests|Busy)\.$"):
        ask()


def test_an_error_amid_the_words_is_told(engine: Ask):
    engine(WORD % b"I", b'data: {"error": {"message": "It fell."}}\n\n')
    with pytest.raises(CommandError, match=r"^It fell\.$"):
        ask()


def test_a_refusal_is_told(engine: Ask):
    engine(b'{"error": {"message": "Too long."}}', is_stream=False)
    with pytest.raises(CommandError, match=r"^Too long\.$"):
        ask()


@pytest.mark.parametrize("body", [b"x" * 900, b"[]", b"{}"])
def test_a_refusal_in_a_form_of_its_own_is_shown_in_part(body: bytes):
    assert _reason(body) == body[:500].decode()


def test_of_many_models_the_newest_ten_are_named():
    names = [make_model().name for _ in range(12)]
    with pytest.raises(CommandError) as unknown:
        ask(model="nobody")
    named = [line.strip() for line in str(unknown.value).splitlines()]
    assert named[-10:] == names[:1:-1]
    assert not {*names[:2]} & {*named}
