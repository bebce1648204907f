"""The description of what is served: whole, true, and found by anybody."""

import re
from typing import Any

import pytest
from django.test import Client

from tuning_server_app import openapi
from tuning_server_app.inference.chat_request import MAX_CHOICES, UNSUPPORTED
from tuning_server_app.urls import urlpatterns

PARAMETER = re.compile(r"<\w+:\w+>|\{\w+\}")


def operations(document: Any) -> set[tuple[str, str]]:
    return {
        (method, PARAMETER.sub("{}", path.lstrip("/")))
        for path, methods in document["paths"].items()
        for method in methods
        if method in {"get", "post", "delete"}
    }


def served_by_urls() -> set[tuple[str, str]]:
    found = set()
    for pattern in urlpatterns:
        view: Any = pattern.callback
        for method in view.view_class.http_method_names:
            if hasattr(view.view_class, method):
                found.add((method, PARAMETER.sub("{}", str(pattern.pattern))))
    return found


def test_all_of_openais_operations_are_served_and_described():
    described = operations(openapi.served())
    assert len(described) == 31
    assert described == operations(openapi.mended())
    assert served_by_urls() == described | {("get", "openapi.json")}


@pytest.mark.django_db
def test_it_is_found_without_a_key(client: Client):
    document = client.get("/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/v1"}]


def test_nothing_in_it_refers_to_nothing():
    text = str(openapi.served())
    names = set(re.findall(r"'#/components/schemas/(\w+)'", text))
    assert names == openapi.served()["components"]["schemas"].keys()


def test_what_cannot_be_asked_for_is_not_in_it():
    schemas = openapi.served()["components"]["schemas"]
    assert "GraderPython" not in schemas
    method = schemas["FineTuneMethod"]["properties"]["type"]["enum"]
    assert method == ["supervised", "dpo"]
    purposes = schemas["CreateFileRequest"]["properties"]["purpose"]["enum"]
    assert purposes == ["fine-tune"]


def test_a_chat_may_ask_for_what_is_served_here():
    chat = openapi.served()["components"]["schemas"]["CreateChatCompletionRequest"]
    asked = chat["allOf"][1]["properties"]
    assert not asked.keys() & UNSUPPORTED
    assert asked["n"]["maximum"] == MAX_CHOICES


def test_every_operation_may_end_in_our_error_and_none_names_a_limit():
    for methods in openapi.served()["paths"].values():
        for operation in methods.values():
            answer = operation["responses"]["default"]["content"]["application/json"]
            assert answer["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}
            assert "429" not in operation["responses"]


def test_a_download_is_bytes():
    content = openapi.served()["paths"]["/files/{file_id}/content"]["get"]
    assert [*content["responses"]["200"]["content"]] == ["application/octet-stream"]


def test_the_published_description_stays_as_it_is():
    openapi.served()
    kinds = openapi.mended()["components"]["schemas"]["FineTuneMethod"]["properties"]
    assert "reinforcement" in kinds["type"]["enum"]
