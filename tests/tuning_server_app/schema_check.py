"""Holds every answer under /v1 in the test suite to the schema of its operation.

A middleware of the test settings, so it sees the answers to Django's test client and
those of a live server alike. It changes none; `tests/conftest.py` fails the test.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import jsonschema
import orjson
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tuning_server_app import openapi

PREFIX = "/v1"
OUR_OWN = {"/v1/openapi.json"}  # no operation of OpenAI's
ERROR = "#/components/schemas/ErrorResponse"
STREAMED = "#/components/schemas/CreateChatCompletionStreamResponse"
NOBODY_THERE = 499  # the client closed its connection: nothing is said
violations: list[str] = []


class SchemaCheck:
    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        is_ours = request.path in OUR_OWN
        if request.path.startswith(f"{PREFIX}/") and not is_ours:
            place = f"{request.method} {request.path}: {response.status_code}"
            for text in _problems(request, response, place):
                violations.append(f"{place}: {text}")
        return response


def _problems(request: HttpRequest, response: Any, place: str) -> Iterator[str]:
    if "x-request-id" not in response:
        yield "no x-request-id"
    if response.status_code == NOBODY_THERE:
        return
    if response.status_code == 200 and response.streaming:
        if response["Content-Type"] == "text/event-stream":
            chunks = response.streaming_content
            response.streaming_content = _watched(chunks, place)
        return
    schema = _schema_of(request, response.status_code)
    if schema is None:
        yield "the description has no such operation, so only an error may come"
        return
    yield from faults(orjson.loads(response.content), schema)


def _watched(chunks: Iterable[bytes], place: str) -> Iterator[bytes]:
    """The stream as it is; each whole event is held to the schema of a chunk."""
    rest = b""
    for chunk in chunks:
        *events, rest = (rest + chunk).split(b"\n\n")
        for event in events:
            if event.startswith(b":"):
                continue  # a comment
            data = event.removeprefix(b"data: ")
            if data != b"[DONE]":
                said = orjson.loads(data)
                is_error = isinstance(said, dict) and "error" in said
                schema = ERROR if is_error else STREAMED
                violations.extend(f"{place}: {text}" for text in faults(said, schema))
        yield chunk


def faults(answer: Any, reference: str) -> Iterator[str]:
    for fault in _validator(reference).iter_errors(answer):
        yield f"{fault.json_path}: {fault.message[:300]}"


def _schema_of(request: HttpRequest, status: int) -> str | None:
    if status >= 400:
        return ERROR
    path = request.path.removeprefix(PREFIX)
    for pattern, methods in _operations():
        if pattern.fullmatch(path):
            operation = methods.get((request.method or "").lower())
            return operation and _reference(operation)
    return None


def _reference(operation: dict[str, Any]) -> str:
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return str(schema["$ref"])


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    paths = openapi.mended()["paths"]
    return [(_pattern(path), methods) for path, methods in paths.items()]


def _pattern(path: str) -> re.Pattern[str]:
    """A model's name may hold slashes, an id does not."""
    part = ".+" if "{model}" in path or "checkpoint}" in path else "[^/]+"
    return re.compile(re.sub(r"\{\w+\}", part, path))


@cache
def _validator(reference: str) -> Any:
    resource = DRAFT202012.create_resource(openapi.mended())
    registry: Any = Registry().with_resource("openai.json", resource)
    return jsonschema.Draft202012Validator(
        {"$ref": f"openai.json{reference}"}, registry=registry
    )
