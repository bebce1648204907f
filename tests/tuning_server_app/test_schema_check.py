"""The check of every answer finds what a strict client would stumble over."""

from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app import schema_check
from tests.tuning_server_app.factories import make_file
from tuning_server_app import wire
from tuning_server_app.models import Organization


def found() -> list[str]:
    """What the check found; taken from it, so that this test may pass."""
    taken = list(schema_check.violations)
    schema_check.violations.clear()
    return taken


def test_a_wrong_answer_is_found(
    api: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
):
    row = make_file(organization)
    monkeypatch.setattr(wire, "file", lambda _row: {"id": None, "object": "file"})
    api.get(f"/v1/files/{row.wire_id}")
    texts = " ".join(found())
    assert "$.id: None is not of type 'string'" in texts
    assert "'filename' is a required property" in texts


def test_an_error_without_its_four_keys_is_found():
    error: Any = {"error": {"message": "no"}}
    assert len(list(schema_check.faults(error, schema_check.ERROR))) == 3


def test_a_wrong_chunk_of_a_stream_is_found():
    events = [b'data: {"id": 7}\n', b"\n", b"data: [DONE]\n\n"]
    assert list(schema_check._watched(events, "here")) == events
    assert any("7 is not of type 'string'" in text for text in found())
