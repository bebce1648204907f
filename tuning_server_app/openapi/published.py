"""OpenAI's own description of its API, mended where it must be."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

import orjson

PUBLISHED = Path(__file__).parent / "openai.json"

Document = dict[str, Any]


@cache
def _published() -> Document:
    """OpenAI's description, as published. Not to be changed: copy it first."""
    document: Document = orjson.loads(PUBLISHED.read_bytes())
    return document


def mended() -> Document:
    """The description without its three contradictions to OpenAI's own use."""
    document = copy.deepcopy(_published())
    schemas = document["components"]["schemas"]
    # The answer to a pause is a paused job, which the list of states forgot.
    schemas["FineTuningJob"]["properties"]["status"]["enum"].append("paused")
    # Several graders under names of their own are what makes a multi grader.
    graders = schemas["GraderMulti"]["properties"]["graders"]
    schemas["GraderMulti"]["properties"]["graders"] = {
        "type": "object",
        "additionalProperties": graders,
    }
    # A stored chat's messages are those of the question, not the assistant's alone.
    question = copy.deepcopy(schemas["ChatCompletionResponseMessage"])
    question["properties"]["role"] = {"type": "string"}
    messages = schemas["ChatCompletionMessageList"]["properties"]["data"]["items"]
    messages["allOf"][0] = question
    return document
