"""The body of POST /v1/fine_tuning/jobs."""

from typing import Any

import pytest

from tuning_server_app.errors import ApiError
from tuning_server_app.job_request import JobRequest, parse_job_request


def parsed(**fields: Any) -> JobRequest:
    return parse_job_request({"model": "m", "training_file": "file-1", **fields})


def refused_param(**fields: Any) -> str | None:
    with pytest.raises(ApiError) as refused:
        parsed(**fields)
    assert refused.value.status == 400
    return refused.value.param


def supervised(**hyperparameters: Any) -> dict[str, Any]:
    return {
        "type": "supervised",
        "supervised": {"hyperparameters": hyperparameters},
    }


def test_what_is_left_out_is_auto():
    assert parsed().hyperparameters == {
        "n_epochs": "auto",
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
    }


@pytest.mark.parametrize(
    "place",
    [
        {"hyperparameters": {"n_epochs": 4}},
        {"method": supervised(n_epochs=4)},
        {"method": supervised(n_epochs=4), "hyperparameters": {"n_epochs": 9}},
        {"method": {"type": "supervised"}, "hyperparameters": {"n_epochs": 4}},
        {"method": {**supervised(n_epochs=4), "dpo": {"hyperparameters": {}}}},
    ],
)
def test_hyperparameters_are_read_from_either_place(place: dict[str, Any]):
    assert parsed(**place).hyperparameters["n_epochs"] == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_epochs", 0),
        ("n_epochs", 51),
        ("n_epochs", 2.5),
        ("n_epochs", True),
        ("n_epochs", "three"),
        ("batch_size", 257),
        ("learning_rate_multiplier", 0),
        ("learning_rate_multiplier", -1.0),
        ("learning_rate_multiplier", "fast"),
        ("epochs", 3),
    ],
)
def test_a_hyperparameter_out_of_range_is_refused(name: str, value: Any):
    param = refused_param(method=supervised(**{name: value}))
    assert param == f"method.supervised.hyperparameters.{name}"


def preference(**hyperparameters: Any) -> dict[str, Any]:
    return {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}


def test_preferences_have_a_beta_of_their_own():
    asked = parsed(method=preference(beta=0.2, n_epochs=2))
    assert asked.method == "dpo"
    assert (asked.hyperparameters["beta"], asked.hyperparameters["n_epochs"]) == (
        0.2,
        2,
    )
    assert "beta" not in parsed(method=supervised()).hyperparameters


@pytest.mark.parametrize("beta", [0, 2.5, True, "strong"])
def test_a_beta_out_of_range_is_refused(beta: Any):
    param = refused_param(method=preference(beta=beta))
    assert param == "method.dpo.hyperparameters.beta"


def test_beta_is_nothing_for_a_supervised_training():
    param = refused_param(method=supervised(beta=0.1))
    assert param == "method.supervised.hyperparameters.beta"


@pytest.mark.parametrize("kind", ["reinforcement", None, 7, ["dpo"]])
def test_another_method_is_refused(kind: Any):
    assert refused_param(method={"type": kind}) == "method.type"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("model", ""),
        ("model", 7),
        ("training_file", None),
        ("validation_file", ["file-1"]),
        ("suffix", "s" * 65),
        ("seed", -1),
        ("seed", 2**31),
        ("seed", 1.5),
        ("valdation_file", "file-1"),
        ("integrations", [{"type": "wandb", "wandb": {"project": "p"}}]),
        ("metadata", ["a"]),
        ("metadata", {"k" * 65: "v"}),
        ("metadata", {"k": "v" * 513}),
        ("metadata", {"k": 1}),
        ("metadata", {str(n): "v" for n in range(17)}),
        ("hyperparameters", [3]),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any):
    assert refused_param(**{field: value}) == field


@pytest.mark.parametrize("body", [[], "text", None, 7])
def test_a_body_that_is_no_object_is_refused(body: Any):
    with pytest.raises(ApiError, match="must be a JSON object"):
        parse_job_request(body)


def test_null_is_the_same_as_left_out():
    names = ("validation_file", "suffix", "seed", "method", "integrations", "metadata")
    assert parsed(**dict.fromkeys(names)) == parsed()
