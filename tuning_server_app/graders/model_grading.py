"""Graders that ask a model: for a number in a range, or for one of some labels."""

from collections.abc import Callable
from typing import Any

import orjson

from tuning_server_app.graders.request import Grader
from tuning_server_app.graders.templates import Namespace

# The body of a chat completion → the completion.
Ask = Callable[[dict[str, Any]], dict[str, Any]]

SAMPLING = {
    "seed": "seed",
    "top_p": "top_p",
    "temperature": "temperature",
    "max_completions_tokens": "max_completion_tokens",
}
TEXT_PARTS = {"input_text", "output_text", "text"}


class ModelFault(Exception):
    """The model did not give what it was asked for; `errors` are the flags to set."""

    def __init__(self, **errors: Any) -> None:
        self.errors = errors


def score(grader: Grader, namespace: Namespace, ask: Ask) -> float:
    """The model's number, kept within the grader's range (0 to 1 if it has none).

    Raises:
        ModelFault
    """
    lowest, highest = grader.get("range") or (0, 1)
    answer = _ask_for(grader, namespace, ask, "result", {"type": "number"})
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        raise ModelFault(model_grader_parse_error=True)
    return float(min(max(answer, lowest), highest))


def label(grader: Grader, namespace: Namespace, ask: Ask) -> float:
    """1 if the model chose a label that passes, else 0.

    Raises:
        ModelFault
    """
    choice = {"type": "string", "enum": grader["labels"]}
    answer = _ask_for(grader, namespace, ask, "label", choice)
    if answer not in grader["labels"]:
        raise ModelFault(model_grader_parse_error=True)
    return float(answer in grader["passing_labels"])


def _ask_for(
    grader: Grader, namespace: Namespace, ask: Ask, name: str, kind: dict[str, Any]
) -> Any:
    schema = {
        "type": "object",
        "properties": {name: kind},
        "required": [name],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}
    given = grader.get("sampling_params") or {}
    body = {
        "model": grader["model"],
        "messages": [_message(item, namespace) for item in grader["input"]],
        "response_format": form,
        **{ours: given[theirs] for theirs, ours in SAMPLING.items() if theirs in given},
    }
    message = ask(body)["choices"][0]["message"]
    if message.get("refusal"):
        raise ModelFault(model_grader_refusal_error=True)
    try:
        return orjson.loads(message["content"])[name]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelFault(model_grader_parse_error=True) from error


def _message(item: dict[str, Any], namespace: Namespace) -> dict[str, str]:
    content = item["content"]
    parts = content if isinstance(content, list) else [content]
    return {
        "role": item["role"],
        "content": namespace.fill("".join(_text(part) for part in parts)),
    }


def _text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if part.get("type") in TEXT_PARTS:
        return str(part["text"])
    raise ModelFault(
        model_grader_server_error=True,
        model_grader_server_error_details="The models of this server read text only.",
    )
