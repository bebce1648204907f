"""The table of operations in the documents is the contract's, and it is true."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings as site_settings
from django.test import Client

from tuning_server_app import openapi

PAGE = Path(site_settings.BASE_DIR) / "docs/tuning-server.md"
ROW = re.compile(r"^\| `(\w+) (/\S*)` \| (\w+) \| (yes|no) \|", re.MULTILINE)
NOT_THERE = {"unknown_url", "method_not_allowed"}


class Row(NamedTuple):
    method: str
    path: str
    name: str
    is_served: bool


def rows() -> list[Row]:
    found = ROW.findall(PAGE.read_text())
    return [Row(method, path, name, yes == "yes") for method, path, name, yes in found]


def contract() -> set[tuple[str, str, str]]:
    return {
        (method.upper(), path, operation["operationId"])
        for path, methods in openapi.mended()["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "delete"}
    }


def test_the_table_names_every_operation_of_the_contract_once():
    named = [row[:3] for row in rows()]
    assert sorted(named) == sorted(contract())
    assert len(named) == 31


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_what_is_called_served_answers(api: Client, row: Row):
    path = "/v1" + re.sub(r"\{\w+\}", "unknown", row.path)
    ask = getattr(api, row.method.lower())
    body = {"data": {}, "content_type": "application/json"}
    response = ask(path, **(body if row.method == "POST" else {}))
    error = response.json().get("error") or {}
    assert (error.get("code") not in NOT_THERE) == row.is_served
