"""The body of a request about a grader, held to OpenAI's own schema of its kind."""

import ast
from functools import cache
from typing import Any

import jsonschema
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.graders.formula import FormulaFault, parse_formula
from tuning_server_app.graders.similarity import METRICS
from tuning_server_app.openapi.published import mended

Grader = dict[str, Any]

SCHEMAS = {
    "string_check": "GraderStringCheck",
    "text_similarity": "GraderTextSimilarity",
    "score_model": "GraderScoreModel",
    "label_model": "GraderLabelModel",
    "multi": "GraderMulti",
}
INSIDE_MULTI = {"string_check", "text_similarity", "score_model", "label_model"}
AT_THE_TOP = set(SCHEMAS) - {"label_model"}
MAX_GRADERS = 20


def parse_grader(body: object) -> Grader:
    """The grader in the body.

    Raises:
        ApiError: naming the field that is missing or wrong, or a kind we do not have.
    """
    grader = body.get("grader") if isinstance(body, dict) else None
    if not isinstance(grader, dict):
        raise invalid(
            "Missing required parameter: 'grader', an object.",
            param="grader",
            code="missing_required_parameter",
        )
    _check(grader, "grader", AT_THE_TOP)
    return grader


def graders_of(multi: Grader) -> dict[str, Grader]:
    """By name: the map that OpenAI's guides use, or the one grader of its schema."""
    graders: dict[str, Any] = multi["graders"]
    if isinstance(graders.get("type"), str):
        return {str(graders.get("name")): graders}
    return graders


def _check(grader: Any, place: str, kinds: set[str]) -> None:
    kind = grader.get("type") if isinstance(grader, dict) else None
    if kind == "python":
        raise _unsupported(
            place,
            "A python grader runs code of the request, and this server has no place"
            " where foreign code can do no harm. Score with the other kinds, or run"
            " the code on your own machine.",
        )
    if not isinstance(kind, str) or kind not in kinds:
        words = ", ".join(sorted(kinds))
        raise invalid(
            f"{place}.type must be one of {words}, not {kind!r:.60}.",
            param=f"{place}.type",
        )
    for fault in _validator(SCHEMAS[kind]).iter_errors(grader):
        where = ".".join([place, *(str(part) for part in fault.absolute_path)])
        raise invalid(f"{where}: {fault.message[:300]}", param=where)
    if kind == "text_similarity":
        _check_metric(grader, place)
    elif kind == "multi":
        _check_multi(grader, place)
    else:
        _check_range(grader, place)


def _check_metric(grader: Grader, place: str) -> None:
    if grader["evaluation_metric"] not in METRICS:
        raise _unsupported(
            f"{place}.evaluation_metric",
            f"This server cannot compute {grader['evaluation_metric']}: it has neither"
            f" an embedding model nor a thesaurus. It has {', '.join(METRICS)}.",
        )


def _check_range(grader: Grader, place: str) -> None:
    limits = grader.get("range")
    if limits is not None and (len(limits) != 2 or not limits[0] < limits[1]):
        raise invalid(
            f"{place}.range must be two numbers, the smaller one first.",
            param=f"{place}.range",
        )


def _check_multi(grader: Grader, place: str) -> None:
    graders = graders_of(grader)
    if not 1 <= len(graders) <= MAX_GRADERS:
        raise invalid(
            f"{place}.graders must be 1 to {MAX_GRADERS} graders, each under its name.",
            param=f"{place}.graders",
        )
    for name, inner in graders.items():
        _check(inner, f"{place}.graders.{name}", INSIDE_MULTI)
    where = f"{place}.calculate_output"
    try:
        used = _names(parse_formula(grader["calculate_output"]))
    except FormulaFault as fault:
        raise invalid(f"{where}: {fault}", param=where) from fault
    if unknown := used - graders.keys():
        raise invalid(
            f"{where} names {', '.join(sorted(unknown))}, but the graders are"
            f" {', '.join(sorted(graders))}.",
            param=where,
        )


def _names(formula: ast.expr) -> set[str]:
    called = {id(node.func) for node in ast.walk(formula) if isinstance(node, ast.Call)}
    return {
        node.id
        for node in ast.walk(formula)
        if isinstance(node, ast.Name) and id(node) not in called
    }


def _unsupported(param: str, message: str) -> ApiError:
    return invalid(message, param=param, code="unsupported_grader")


@cache
def _validator(name: str) -> Any:
    resource = DRAFT202012.create_resource(_document())
    registry: Any = Registry().with_resource("openai.json", resource)
    return jsonschema.Draft202012Validator(
        {"$ref": f"openai.json#/components/schemas/{name}"}, registry=registry
    )


def _document() -> dict[str, Any]:
    """Without the schema of what is inside a multi grader: that is checked by kind."""
    document = mended()
    multi = document["components"]["schemas"]["GraderMulti"]
    inner = {"type": "object"}
    multi["properties"]["graders"] = {**inner, "additionalProperties": True}
    return document
