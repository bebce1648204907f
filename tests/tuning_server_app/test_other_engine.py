"""Another engine answers: a small real HTTP server stands where vLLM would be."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.engine_stand_in import COUNTS, PIECES, Engine
from tests.tuning_server_app.factories import BASE, make_job, make_model
from tuning_server_app import inference_client
from tuning_server_app.inference_client import InferenceDown, answers
from tuning_server_app.models import Organization, TunedModel
from tuning_server_app.services.tuned_models import runs_folder

MESSAGES = [{"role": "user", "content": "안녕?"}]
TEXT = "".join(PIECES)


@pytest.fixture
def engine(settings: Any) -> Iterator[Engine]:
    engine = Engine(BASE)
    settings.TUNING_SERVER_INFERENCE_URL = engine.url
    yield engine
    engine.stop()


@pytest.fixture
def ask(api: Client) -> Callable[..., Any]:
    def ask(**body: Any) -> Any:
        body = {"model": BASE, "messages": MESSAGES, **body}
        return api.post("/v1/chat/completions", body, "application/json")

    return ask


@pytest.fixture
def tuned(organization: Organization) -> TunedModel:
    return make_model(make_job(organization=organization))


def events_of(response: Any) -> list[Any]:
    *events, end = b"".join(response.streaming_content).decode().strip().split("\n\n")
    assert end == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


def test_a_base_model_is_asked_by_its_name(ask: Any, engine: Engine):
    answer = ask(max_tokens=5).json()

    assert answer["choices"][0]["message"]["content"] == TEXT
    assert answer["model"] == BASE
    (asked,) = engine.chats
    assert (asked["model"], asked["max_tokens"]) == (BASE, 5)
    assert not {"base", "adapter"} & asked.keys()


def test_the_nulls_that_vllm_adds_are_left_out(ask: Any, engine: Engine):
    answer = ask().json()
    (choice,) = answer["choices"]
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    assert choice["message"] == message
    assert answer["usage"] == COUNTS


def test_what_no_model_here_heeds_the_engine_never_sees(ask: Any, engine: Engine):
    assert ask(user="someone").status_code == 200
    assert "user" not in engine.chats[0]


@pytest.mark.parametrize("text", ["", "x" * 1_000])
def test_an_error_in_no_known_form_is_passed_on_in_part(
    ask: Any, engine: Engine, text: str
):
    engine.answer_with = 400, text
    response = ask()
    assert response.status_code == 400
    assert len(response.json()["error"]["message"]) <= 500


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_the_engine_refuses_is_named(ask: Any, engine: Engine, status: int):
    engine.answer_with = status, {}
    message = ask().json()["error"]["message"]
    assert "Correct TUNING_SERVER_INFERENCE_KEY" in message


def test_the_default_is_greedy_whoever_answers(ask: Any, engine: Engine):
    ask()
    assert engine.chats[0]["temperature"] == 0


def test_an_address_may_end_in_v1(ask: Any, engine: Engine, settings: Any):
    settings.TUNING_SERVER_INFERENCE_URL = f"{engine.url}/v1/"
    assert ask().status_code == 200


def test_a_tuned_model_is_loaded_when_it_is_first_asked(
    ask: Any, engine: Engine, tuned: TunedModel
):
    answer = ask(model=tuned.name).json()

    assert answer["model"] == tuned.name
    assert answer["choices"][0]["message"]["content"] == TEXT
    (load,) = engine.loads
    assert load["lora_path"] == str((runs_folder() / tuned.adapter).resolve())
    assert load["lora_name"] == engine.chats[-1]["model"]
    assert "/" not in load["lora_name"]


def test_a_loaded_model_is_not_loaded_again(
    ask: Any, engine: Engine, tuned: TunedModel
):
    for _ in range(3):
        ask(model=tuned.name)
    assert len(engine.loads) == 1


def test_an_engine_that_was_started_again_loads_again(
    ask: Any, engine: Engine, tuned: TunedModel
):
    ask(model=tuned.name)
    engine.models = {BASE}

    assert ask(model=tuned.name).status_code == 200
    assert len(engine.loads) == 2


def test_a_stream_passes_through_under_the_name_that_was_asked(
    ask: Any, engine: Engine, tuned: TunedModel
):
    events = events_of(ask(model=tuned.name, stream=True))

    words = [event["choices"][0]["delta"]["content"] for event in events]
    assert words == PIECES
    assert {event["model"] for event in events} == {tuned.name}


def test_when_the_client_goes_the_engine_hears_it(ask: Any, engine: Engine):
    engine.waits_in_stream.clear()
    response = ask(stream=True)
    next(response.streaming_content)
    response.close()

    assert engine.heard_the_end.wait(60)


def test_the_engines_key_is_sent_and_the_clients_is_not(
    ask: Any, engine: Engine, settings: Any
):
    ask()
    settings.TUNING_SERVER_INFERENCE_KEY = "engine-key"
    ask()

    assert engine.keys == {None, "Bearer engine-key"}


def test_an_adapter_that_cannot_be_loaded_is_explained(
    ask: Any, engine: Engine, tuned: TunedModel, caplog: Any
):
    engine.can_load = False
    response = ask(model=tuned.name)

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (503, "inference_unavailable")
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" in error["message"]
    assert "No adapter found" in caplog.text


def test_a_base_model_that_the_engine_lacks_is_explained(ask: Any, engine: Engine):
    engine.models = set()
    response = ask()

    assert response.status_code == 503
    assert f"--served-model-name {BASE}" in response.json()["error"]["message"]


def test_what_the_engine_finds_wrong_with_a_question_is_passed_on(
    ask: Any, engine: Engine
):
    error = {"message": "too long", "type": "Bad", "param": "messages", "code": 400}
    engine.answer_with = 400, {"error": error}
    response = ask()

    assert response.status_code == 400
    assert response.json()["error"] == {
        "message": "too long",
        "type": "invalid_request_error",
        "param": "messages",
        "code": None,
    }


def test_an_engines_older_form_of_errors_is_understood(ask: Any, engine: Engine):
    engine.answer_with = 400, {"object": "error", "message": "too long", "code": 40303}
    assert ask().json()["error"]["message"] == "too long"


def test_a_busy_engine_tells_when_to_come_again(ask: Any, engine: Engine):
    engine.answer_with = 429, {}
    response = ask()
    assert (response.status_code, response["Retry-After"]) == (429, "5")


@pytest.mark.parametrize("status", [401, 403, 500, 302])
def test_what_is_the_operators_to_mend_is_no_fault_of_the_client(
    ask: Any, engine: Engine, settings: Any, caplog: Any, status: int
):
    settings.TUNING_SERVER_INFERENCE_KEY = "engine-key"
    engine.answer_with = status, {"error": {"message": "secret detail"}}
    response = ask()

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "inference_unavailable"
    assert b"secret detail" not in response.content
    assert "engine-key" not in caplog.text + response.content.decode()


def test_an_engine_that_is_not_there_is_explained(ask: Any, engine: Engine):
    engine.stop()
    response = ask()

    assert response.status_code == 503
    assert "TUNING_SERVER_INFERENCE_URL" in response.json()["error"]["message"]


def test_an_engine_that_says_nothing_is_given_up(
    settings: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(answers, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(answers, "LOOK_SECONDS", 0.01)
    looks = iter([False] * 100)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings.TUNING_SERVER_INFERENCE_URL = f"http://127.0.0.1:{port}"
        with pytest.raises(InferenceDown):
            inference_client.ask(
                {"model": BASE, "messages": MESSAGES},
                base_model=BASE,
                adapter=None,
                is_abandoned=lambda: next(looks, True),
            )


def test_an_engine_that_talks_nonsense_is_explained(ask: Any, engine: Engine):
    engine.answer_with = 200, "no object"
    assert ask().status_code == 503


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"chat_template": "{{ 1 }}"}, "chat_template"),
        ({"n": 99}, "n"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": "http://x/"}}
                        ],
                    }
                ]
            },
            "messages",
        ),
    ],
)
def test_what_our_own_process_refuses_the_engine_never_sees(
    ask: Any, engine: Engine, fields: dict[str, Any], param: str
):
    response = ask(**fields)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert engine.chats == []
