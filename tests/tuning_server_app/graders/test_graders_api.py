"""/v1/fine_tuning/alpha/graders."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import BASE
from tuning_server_app import inference_client
from tuning_server_app.graders import templates

GRADERS = "/v1/fine_tuning/alpha/graders"
CHECK = {
    "type": "string_check",
    "name": "right",
    "input": "{{ sample.output_text }}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
ALIKE = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "fuzzy_match",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": BASE,
    "input": [
        {"role": "developer", "content": "Score from 0 to 10."},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "{{sample.output_text}}"}],
        },
    ],
    "range": [0, 10],
    "sampling_params": {"seed": 7, "max_completions_tokens": 50},
}
LABEL = {
    "type": "label_model",
    "name": "label",
    "model": BASE,
    "input": [{"role": "user", "content": "Is {{sample.output_text}} polite?"}],
    "labels": ["polite", "rude"],
    "passing_labels": ["polite"],
}


def multi(formula: str = "0.5 * right + 0.5 * alike", **graders: Any) -> Any:
    graders = graders or {"right": CHECK, "alike": ALIKE}
    named = {"name": "all", "calculate_output": formula}
    return {"type": "multi", "graders": graders, **named}


def run(api: Client, grader: Any, sample: str = "20", **item: Any) -> Any:
    body = {"grader": grader, "model_sample": sample, "item": item or {"answer": "20"}}
    response = api.post(f"{GRADERS}/run", body, "application/json")
    assert response.status_code == 200, response.content
    return response.json()


def refused(api: Client, grader: Any) -> Any:
    response = api.post(f"{GRADERS}/validate", {"grader": grader}, "application/json")
    assert response.status_code == 400, response.content
    return response.json()["error"]


def flags(graded: Any) -> list[str]:
    return [name for name, value in graded["metadata"]["errors"].items() if value]


SOUND = [CHECK, ALIKE, JUDGE, multi(), multi("x", x=LABEL), multi("max(right, alike)")]


@pytest.mark.parametrize("grader", SOUND)
def test_a_sound_grader_is_handed_back(api: Client, grader: Any):
    response = api.post(f"{GRADERS}/validate", {"grader": grader}, "application/json")
    assert response.json() == {"grader": grader}


@pytest.mark.parametrize(
    ("grader", "param"),
    [
        (None, "grader"),
        ("string_check", "grader"),
        ({"type": "magic"}, "grader.type"),
        ({"type": ["multi"]}, "grader.type"),
        (LABEL, "grader.type"),  # inside multi only
        ({**CHECK, "operation": "is"}, "grader.operation"),
        ({**CHECK, "input": 7}, "grader.input"),
        ({**ALIKE, "evaluation_metric": "cosine"}, "grader.evaluation_metric"),
        ({**ALIKE, "evaluation_metric": "meteor"}, "grader.evaluation_metric"),
        ({**JUDGE, "range": [1]}, "grader.range"),
        ({**JUDGE, "range": [1, 0]}, "grader.range"),
        (
            {**JUDGE, "input": [{"role": "judge", "content": "a"}]},
            "grader.input.0.role",
        ),
        (multi(right={**CHECK, "name": None}), "grader.graders.right.name"),
        (multi(inner=multi()), "grader.graders.inner.type"),
        ({**multi(), "graders": {}}, "grader.graders"),
        (multi("a", **{f"a{n}": CHECK for n in range(21)}), "grader.graders"),
        (multi("right +"), "grader.calculate_output"),
        (multi("wrong * 2"), "grader.calculate_output"),
    ],
)
def test_a_wrong_grader_is_named(api: Client, grader: Any, param: str):
    assert refused(api, grader)["param"] == param


def test_a_missing_field_is_named(api: Client):
    grader = {key: value for key, value in CHECK.items() if key != "reference"}
    assert "'reference' is a required property" in refused(api, grader)["message"]


@pytest.mark.parametrize("place", [lambda grader: grader, lambda g: multi("p", p=g)])
def test_foreign_code_is_not_run(api: Client, place: Callable[[Any], Any]):
    python = {"type": "python", "name": "p", "source": "def grade(s, i): return 1"}
    error = refused(api, place(python))
    assert error["code"] == "unsupported_grader"
    assert "foreign code" in error["message"]


def test_a_model_that_is_not_ours_is_not_found(api: Client):
    body = {"grader": multi("x", x={**JUDGE, "model": "gpt-9"}), "model_sample": ""}
    response = api.post(f"{GRADERS}/run", body, "application/json")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("operation", "sample", "reward"),
    [
        ("eq", "20", 1),
        ("eq", "21", 0),
        ("ne", "21", 1),
        ("like", "It is 20.", 1),
        ("like", "twenty", 0),
        ("ilike", "IT IS 20.", 1),
    ],
)
def test_strings_are_checked(api: Client, operation: str, sample: str, reward: int):
    graded = run(api, {**CHECK, "operation": operation}, sample)
    assert (graded["reward"], flags(graded)) == (reward, [])


def test_only_the_last_kind_of_check_forgets_case(api: Client):
    like, ilike = (
        run(api, {**CHECK, "operation": name}, "YES!", answer="yes")["reward"]
        for name in ("like", "ilike")
    )
    assert (like, ilike) == (0, 1)


def test_graders_are_combined(api: Client):
    graded = run(api, multi(), "2")
    assert graded["sub_rewards"] == {"right": 0, "alike": pytest.approx(2 / 3)}
    assert graded["reward"] == pytest.approx(1 / 3)
    assert graded["metadata"]["type"] == "multi"
    assert graded["metadata"]["scores"] == graded["sub_rewards"]


def test_the_score_of_one_grader_has_its_name(api: Client):
    graded = run(api, CHECK)
    assert graded["metadata"]["scores"] == {"right": 1}
    assert graded["sub_rewards"] == {}


def test_one_grader_in_the_form_of_the_schema_is_known_by_its_name(api: Client):
    grader = {**multi("right * 2"), "graders": CHECK}
    assert run(api, grader)["reward"] == 2


@pytest.mark.parametrize(
    ("reference", "sample", "flag"),
    [
        ("{{item.other}}", "20", "invalid_variable_error"),
        ("{{item.answer.deep}}", "20", "invalid_variable_error"),
        ("{{sample.output_tools}}", "20", "invalid_variable_error"),
        ("{{world}}", "20", "invalid_variable_error"),
        ("{{sample}}", "20", "invalid_variable_error"),
        ("{{sample.output_json.a}}", "no json", "sample_parse_error"),
    ],
)
def test_a_variable_without_a_value_is_worth_nothing(
    api: Client, reference: str, sample: str, flag: str
):
    graded = run(api, {**CHECK, "reference": reference}, sample)
    assert (graded["reward"], flags(graded)) == (0, [flag])


def test_variables_reach_into_what_they_name(api: Client):
    grader = {
        **CHECK,
        "input": "{{sample.output_json.unit.name}}: {{sample.output_json.n}}",
        "reference": "{{item.unit.name}}: 20",
    }
    sample = json.dumps({"unit": {"name": "칼날"}, "n": 20})
    assert run(api, grader, sample, unit={"name": "칼날"})["reward"] == 1


def test_a_formula_without_a_value_is_worth_nothing(api: Client):
    graded = run(api, multi("1 / right", right=CHECK), "21")
    assert (graded["reward"], flags(graded)) == (0, ["formula_parse_error"])


def test_a_text_that_grows_without_end_is_cut(
    api: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(templates, "MAX_TEXT", 100)
    grader = {**CHECK, "input": "{{item.answer}}" * 1000}
    graded = run(api, grader, answer="a" * 10)
    assert flags(graded) == ["truncated_observation_error"]


def test_of_a_text_that_is_cut_no_more_is_read_than_is_kept(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(templates, "MAX_TEXT", 100)
    namespace = templates.Namespace("a" * 60, {})
    filled = namespace.fill("{{sample.output_text}}" * 2 + "{{item.unknown}}")
    assert (filled, namespace.is_cut) == ("a" * 100, True)


def test_of_a_wrong_value_a_part_is_quoted(api: Client):
    message = refused(api, {**CHECK, "operation": "x" * 900})["message"]
    assert 200 < message.count("x") <= 300


class Judge:
    """The inference process: answers what it is told, and remembers the question."""

    status = 200

    def __init__(self, content: str | None, **message: Any) -> None:
        choice = {"message": {"content": content, **message}}
        self._said: dict[str, Any] = {
            "choices": [choice],
            "usage": {"total_tokens": 12},
        }
        self.heard: dict[str, Any] = {}

    def ask(self, body: dict[str, Any], **_weights: Any) -> "Judge":
        self.heard = body
        return self

    def read(self) -> bytes:
        return json.dumps(self._said).encode()


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Judge]:
    def judge(content: str | None, **message: Any) -> Judge:
        made = Judge(content, **message)
        monkeypatch.setattr(inference_client, "ask", made.ask)
        return made

    return judge


def test_a_model_gives_the_score(api: Client, judge: Callable[..., Judge]):
    asked = judge('{"result": 7.5}')
    graded = run(api, JUDGE, "Hello!")
    assert (graded["reward"], flags(graded)) == (7.5, [])
    assert graded["model_grader_token_usage_per_model"] == {BASE: 12}
    assert graded["metadata"]["token_usage"] == 12
    assert asked.heard["messages"][1] == {"role": "user", "content": "Hello!"}
    assert (asked.heard["seed"], asked.heard["max_completion_tokens"]) == (7, 50)
    assert asked.heard["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(("score", "reward"), [(11, 10), (-3, 0)])
def test_a_score_stays_within_its_range(
    api: Client, judge: Callable[..., Judge], score: int, reward: int
):
    judge(json.dumps({"result": score}))
    assert run(api, JUDGE)["reward"] == reward


@pytest.mark.parametrize(("score", "reward"), [(11, 1), (-3, 0), (0.5, 0.5)])
def test_a_grader_without_a_range_goes_from_0_to_1(
    api: Client, judge: Callable[..., Judge], score: float, reward: float
):
    judge(json.dumps({"result": score}))
    grader = {key: value for key, value in JUDGE.items() if key != "range"}
    assert run(api, grader)["reward"] == reward


def test_an_engine_that_counts_no_tokens_is_believed(
    api: Client, judge: Callable[..., Judge]
):
    asked = judge('{"result": 7}')
    asked._said = {**asked._said, "usage": None}
    graded = run(api, JUDGE)
    assert (graded["reward"], graded["metadata"]["token_usage"]) == (7, 0)


@pytest.mark.parametrize(
    "content",
    [None, "", "seven", '{"score": 7}', '{"result": "7"}', '{"result": true}', "[]"],
)
def test_an_answer_without_a_number_is_worth_nothing(
    api: Client, judge: Callable[..., Judge], content: str | None
):
    judge(content)
    graded = run(api, JUDGE)
    assert (graded["reward"], flags(graded)) == (0, ["model_grader_parse_error"])


def test_a_refusal_is_worth_nothing(api: Client, judge: Callable[..., Judge]):
    judge("", refusal="No.")
    assert flags(run(api, JUDGE)) == ["model_grader_refusal_error"]


@pytest.mark.parametrize(("label", "reward"), [("polite", 1), ("rude", 0)])
def test_a_model_gives_a_label(
    api: Client, judge: Callable[..., Judge], label: str, reward: int
):
    judge(json.dumps({"label": label}))
    assert run(api, multi("x", x=LABEL))["reward"] == reward


def test_a_label_that_was_not_offered_is_no_label(
    api: Client, judge: Callable[..., Judge]
):
    judge('{"label": "kind"}')
    assert flags(run(api, multi("x", x=LABEL))) == ["model_grader_parse_error"]


def test_without_the_inference_process_the_reason_is_told(
    api: Client, settings: Any, tmp_path: Any
):
    settings.INFERENCE_SOCKET = tmp_path / "nobody.sock"
    graded = run(api, JUDGE)
    assert flags(graded) == [
        "model_grader_server_error",
        "model_grader_server_error_details",
    ]


def test_what_the_inference_process_refuses_is_told(
    api: Client, judge: Callable[..., Judge]
):
    asked = judge("")
    asked.status = 400
    asked._said = {"error": {"message": "too long"}}
    errors = run(api, JUDGE)["metadata"]["errors"]
    assert errors["model_grader_server_error_details"] == "too long"


def test_a_picture_cannot_be_judged(api: Client, judge: Callable[..., Judge]):
    judge("")
    picture = {"type": "input_image", "image_url": "https://example.org/a.png"}
    grader = {**JUDGE, "input": [{"role": "user", "content": [picture]}]}
    details = run(api, grader)["metadata"]["errors"]
    assert "text only" in details["model_grader_server_error_details"]


@pytest.mark.parametrize(
    ("field", "value"), [("model_sample", None), ("model_sample", 7), ("item", "a")]
)
def test_a_wrong_body_is_refused(api: Client, field: str, value: Any):
    body = {"grader": CHECK, "model_sample": "a", field: value}
    response = api.post(f"{GRADERS}/run", body, "application/json")
    assert response.status_code == 400
    assert response.json()["error"]["param"] == field


def test_a_grader_may_need_no_item(api: Client):
    body = {"grader": {**CHECK, "reference": "20"}, "model_sample": "20"}
    response = api.post(f"{GRADERS}/run", body, "application/json")
    assert response.json()["reward"] == 1


DEEP = "[" * 300 + "]" * 300


@pytest.mark.parametrize("path", ["run", "validate"])
def test_a_body_nested_too_deeply_is_refused(api: Client, path: str):
    grader = {**CHECK, "more": json.loads(DEEP)}
    body = {"grader": grader, "model_sample": "20"}
    response = api.post(f"{GRADERS}/{path}", body, "application/json")
    assert response.status_code == 400


def test_a_sample_nested_too_deeply_is_no_json(api: Client):
    grader = {**CHECK, "input": "{{sample.output_json}}"}
    errors = run(api, grader, DEEP)["metadata"]["errors"]
    assert errors["sample_parse_error"]


def test_a_sample_is_parsed_once(monkeypatch: pytest.MonkeyPatch):
    times: list[str] = []

    def loads(text: str) -> Any:
        times.append(text)
        return json.loads(text)

    monkeypatch.setattr(templates.orjson, "loads", loads)
    namespace = templates.Namespace('{"n": 1}', {})
    assert namespace.fill("{{sample.output_json.n}}" * 3) == "111"
    assert len(times) == 1


@pytest.mark.parametrize("inner", [{"type": "string_check"}, {"right": 5}])
def test_what_is_no_grader_inside_a_multi_is_refused(api: Client, inner: Any):
    body = {"grader": {**multi("1"), "graders": inner}}
    response = api.post(f"{GRADERS}/validate", body, "application/json")
    assert response.status_code == 400
