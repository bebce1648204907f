"""What this server serves, as an OpenAPI document: OpenAI's own, less what it cannot.

Every operation is there; an answer is never of another form than OpenAI's. What a
request may ask for is less here, and said.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from tuning_server_app.graders.similarity import METRICS
from tuning_server_app.inference.chat_request import MAX_CHOICES, UNSUPPORTED
from tuning_server_app.job_request import METHODS
from tuning_server_app.models import FilePurpose
from tuning_server_app.openapi.published import Document, mended

SCHEMAS = "#/components/schemas/"
ERROR = {
    "description": "What is wrong, why, and what to do next.",
    "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}ErrorResponse"}}},
}
INFO = {
    "title": "The tuning server of finetune-site",
    "version": "1",
    "description": "Files, uploads in parts, fine-tuning jobs, graders, models and chat"
    " completions, as OpenAI's API has them, so that its clients work unchanged."
    " Derived from the description that OpenAI publishes under the MIT License.",
    "license": {"name": "MIT", "identifier": "MIT"},
}


@cache
def served() -> Document:
    """The document. Not to be changed."""
    document = mended()
    schemas = document["components"]["schemas"]
    _narrow_files(schemas)
    _narrow_methods(schemas)
    _narrow_graders(schemas)
    _narrow_chat(schemas)
    _describe_download(document["paths"])
    for operation in _operations(document["paths"]):
        operation["responses"].pop("429", None)
        operation["responses"]["default"] = ERROR
    _drop_unused(document)
    return {**document, "info": INFO, "servers": [{"url": "/v1"}]}


def _narrow_files(schemas: dict[str, Any]) -> None:
    for name in ("CreateFileRequest", "CreateUploadRequest"):
        schemas[name]["properties"]["purpose"]["enum"] = [FilePurpose.FINE_TUNE.value]


def _narrow_methods(schemas: dict[str, Any]) -> None:
    method = schemas["FineTuneMethod"]["properties"]
    method["type"]["enum"] = list(METHODS)
    del method["reinforcement"]
    asked = schemas["CreateFineTuningJobRequest"]["properties"]
    asked["integrations"] = {"type": ["array", "null"], "maxItems": 0}
    del asked["model"]["anyOf"]
    asked["model"]["type"] = "string"


def _narrow_graders(schemas: dict[str, Any]) -> None:
    similarity = schemas["GraderTextSimilarity"]["properties"]
    similarity["evaluation_metric"]["enum"] = list(METRICS)
    python = {"$ref": f"{SCHEMAS}GraderPython"}
    several = schemas["GraderMulti"]["properties"]["graders"]["additionalProperties"]
    several["oneOf"].remove(python)
    for name in ("RunGraderRequest", "ValidateGraderRequest", "ValidateGraderResponse"):
        schemas[name]["properties"]["grader"]["oneOf"].remove(python)


def _narrow_chat(schemas: dict[str, Any]) -> None:
    asked = schemas["CreateChatCompletionRequest"]["allOf"][1]["properties"]
    for name in UNSUPPORTED:
        asked.pop(name, None)
    asked["model"] = {"type": "string"}
    asked["n"]["maximum"] = MAX_CHOICES


def _describe_download(paths: dict[str, Any]) -> None:
    answer = paths["/files/{file_id}/content"]["get"]["responses"]["200"]
    answer["content"] = {"application/octet-stream": {"schema": {"type": "string"}}}


def _operations(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in paths.values():
        yield from methods.values()


def _drop_unused(document: Document) -> None:
    """Keep the schemas that something served refers to, in one step or in many."""
    schemas = document["components"]["schemas"]
    used: set[str] = set()
    found = _references([document["paths"], document["webhooks"], ERROR])
    while found := found - used:
        used |= found
        found = _references([schemas[name] for name in found])
    document["components"]["schemas"] = {
        name: schema for name, schema in schemas.items() if name in used
    }
    del document["components"]["responses"]


def _references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    own = str(part.get("$ref", ""))
    inner = _references(list(part.values()))
    return inner | ({own.removeprefix(SCHEMAS)} if own.startswith(SCHEMAS) else set())
