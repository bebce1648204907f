"""Grading without a server: what a model says is given."""

import json
from typing import Any

import pytest

from tests.tuning_server_app.graders.test_graders_api import (
    ALIKE,
    CHECK,
    GRADERS,
    JUDGE,
    LABEL,
    multi,
    refused,
)
from tuning_server_app.graders import templates
from tuning_server_app.graders.grading import Grading
from tuning_server_app.graders.templates import (
    MAX_TEXT,
    Namespace,
    UnknownVariable,
)

JUDGE_WITHOUT_RANGE = {name: JUDGE[name] for name in JUDGE if name != "range"}


def graded(grader: Any, content: str | None = None, **more: Any) -> dict[str, Any]:
    completion = {"choices": [{"message": {"content": content}}], **more}
    namespace = Namespace("20", {"answer": "20"})
    return Grading(namespace, lambda _body: completion).run(grader)


def test_the_scores_of_one_grader_are_its_own():
    metadata = graded(CHECK)["metadata"]
    assert metadata["scores"] == {"right": 1.0}


def test_the_scores_of_several_are_each_ones():
    metadata = graded(multi("0.5 * right", right=CHECK, alike=ALIKE))["metadata"]
    assert metadata["scores"] == {"right": 1.0, "alike": 1.0}


@pytest.mark.parametrize(("said", "worth"), [(7, 1), (0.5, 0.5), (-3, 0)])
def test_a_judge_without_a_range_gives_zero_to_one(said: float, worth: float):
    answer = json.dumps({"result": said})
    assert graded(JUDGE_WITHOUT_RANGE, answer)["reward"] == worth


@pytest.mark.parametrize("usage", [{}, {"usage": None}])
def test_an_engine_that_does_not_count_tokens_is_no_failure(usage: dict[str, Any]):
    result = graded(JUDGE, '{"result": 5}', **usage)
    assert (result["reward"], result["metadata"]["token_usage"]) == (5, 0)


@pytest.mark.parametrize("content", [None, "", "no JSON", "{}", "7"])
@pytest.mark.parametrize("grader", [JUDGE, LABEL])
def test_an_answer_that_holds_no_score_is_worth_nothing(grader: Any, content: Any):
    result = graded(grader, content)
    assert result["reward"] == 0
    assert result["metadata"]["errors"]["model_grader_parse_error"]


def test_functions_are_no_graders(api: Any):
    grader = multi("max(right, alike)")
    response = api.post(f"{GRADERS}/validate", {"grader": grader}, "application/json")
    assert response.status_code == 200


def test_what_is_wrong_with_a_grader_is_said_in_part(api: Any):
    error = refused(api, {**CHECK, "input": ["x" * 900]})
    assert "x" * 200 in error["message"]
    assert len(error["message"]) < 350


def test_a_text_that_became_too_long_is_filled_no_further(
    monkeypatch: pytest.MonkeyPatch,
):
    asked: list[str] = []
    value = Namespace._value

    def count(namespace: Namespace, path: str) -> str:
        asked.append(path)
        return value(namespace, path)

    monkeypatch.setattr(templates.Namespace, "_value", count)
    namespace = Namespace("", {"long": "x" * (MAX_TEXT - 1)})
    filled = namespace.fill("{{item.long}}" * 100)
    assert (len(filled), namespace.is_cut, len(asked)) == (MAX_TEXT, True, 2)


@pytest.mark.parametrize("path", ["sample", "item.other", "nothing", "sample.other"])
def test_a_variable_that_names_nothing_is_unknown(path: str):
    with pytest.raises(UnknownVariable):
        Namespace("20", {}).fill("{{" + path + "}}")
