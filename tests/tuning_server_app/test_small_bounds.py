"""What is quoted of a client's words has an end; odd forms have an answer."""

from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from open_chats.segments import Segment
from tests.tuning_server_app.factories import (
    BASE,
    chat,
    jsonl,
    make_chat,
    make_job,
    opened,
    preference,
)
from tuning_server_app import wire
from tuning_server_app.chat_assembly import Assembly
from tuning_server_app.errors import ApiError, model_not_found, refuse_unknown
from tuning_server_app.file_request import check_purpose, life_seconds
from tuning_server_app.job_request import parse_job_request
from tuning_server_app.metadata import check_metadata
from tuning_server_app.models import Organization, TuningJob
from tuning_server_app.openapi import mended
from tuning_server_app.paging import cut_page, read_limit
from tuning_server_app.training_files.checking import check_validation_file
from tuning_server_app.training_files.conversations import conversations
from tuning_server_app.training_files.fitting import _is_learnt
from tuning_server_app.training_files.lines import FileRefused
from tuning_server_app.upload_request import parse_completion, parse_upload_request

LONG = "x" * 400
JOB = {"model": BASE, "training_file": "file-1"}
UPLOAD = {
    "filename": "a.jsonl",
    "purpose": "fine-tune",
    "bytes": 1,
    "mime_type": "text/plain",
}


@pytest.mark.parametrize(
    ("parse", "given", "most"),
    [
        (lambda text: refuse_unknown([text], []), LONG, 50),
        (check_purpose, LONG, 50),
        (check_metadata, {LONG: "value"}, 20),
        (parse_job_request, {**JOB, "method": {"type": LONG}}, 100),
    ],
)
def test_a_clients_words_are_quoted_in_part(parse: Any, given: Any, most: int):
    with pytest.raises(ApiError) as refused:
        parse(given)
    assert 0 < refused.value.message.count("x" * 9) <= most // 9
    assert len(refused.value.param or "") <= most


@pytest.mark.parametrize(
    "row",
    [
        {**chat(), LONG: 1},
        {"messages": [{**chat()["messages"][1], LONG: 1}]},
        {"messages": [{"role": LONG, "content": "a"}, chat()["messages"][1]]},
    ],
)
def test_a_files_words_are_quoted_in_part(row: Any):
    with pytest.raises(FileRefused) as refused:
        check_validation_file(opened(jsonl(row)))
    assert "x" * 40 in refused.value.message
    assert "x" * 51 not in refused.value.message


@pytest.mark.parametrize("messages", [{"a": 1}, 5, "Hi"])
def test_a_preference_whose_question_is_no_list_is_named(messages: Any):
    row = preference(input={"messages": messages})
    with pytest.raises(FileRefused, match='input is missing "messages"'):
        check_validation_file(opened(jsonl(row)), "dpo")


def test_answers_under_their_older_names_are_learnt():
    row = preference()
    wanted = conversations(row, "dpo")
    row["preferred_completion"] = row.pop("preferred_output")
    row["non_preferred_completion"] = row.pop("non_preferred_output")
    assert conversations(row, "dpo") == wanted


@pytest.mark.parametrize(
    ("sizes", "is_learnt"), [([0, 1], False), ([0, 2], True), ([5, 0], False)]
)
def test_the_first_token_and_no_token_are_nothing_to_learn(
    sizes: list[int], is_learnt: bool
):
    asked, answered = Segment("a", False), Segment("b", True)
    assert _is_learnt([asked, answered], sizes, 10) == is_learnt


def test_a_server_without_base_models_says_so():
    assert "has no base model" in model_not_found("x", []).message


def test_a_whole_number_is_a_number():
    rate = {"learning_rate_multiplier": 2}
    request = parse_job_request({**JOB, "hyperparameters": rate})
    assert request.hyperparameters["learning_rate_multiplier"] == 2


@pytest.mark.parametrize("field", ["filename", "purpose", "mime_type"])
def test_a_field_of_an_upload_that_is_no_text_is_named(field: str):
    with pytest.raises(ApiError) as refused:
        parse_upload_request({**UPLOAD, field: 7})
    assert refused.value.param == field


def test_a_long_name_of_an_upload_is_kept_in_part():
    assert parse_upload_request({**UPLOAD, "filename": LONG}).filename == LONG[:255]


@pytest.mark.parametrize("part_ids", [7, {"part_1": 1}, None])
def test_part_ids_that_are_no_list_are_refused(part_ids: Any):
    with pytest.raises(ApiError) as refused:
        parse_completion({"part_ids": part_ids})
    assert refused.value.param == "part_ids"


def test_an_empty_digest_is_none():
    assert parse_completion({"part_ids": ["a"], "md5": ""}) == (["a"], None)


def test_a_stored_chat_without_metadata_has_an_empty_object(
    api: Client, organization: Organization
):
    path = f"/v1/chat/completions/{make_chat(organization).wire_id}"
    assert api.get(path).json()["metadata"] == {}


def test_a_paused_job_is_part_of_the_contract():
    status = mended()["components"]["schemas"]["FineTuningJob"]["properties"]["status"]
    assert "paused" in status["enum"]


def assembled(*chunks: dict[str, Any]) -> Any:
    assembly = Assembly()
    head = {"id": "chatcmpl-1", "created": 1, "model": BASE}
    for chunk in chunks:
        assembly._take({**head, **chunk})
    return assembly._completion()


def choice(delta: dict[str, Any], reason: str | None = None, **more: Any) -> Any:
    part = {"index": 0, "delta": delta, "finish_reason": reason, **more}
    return {"choices": [part]}


def test_what_a_stream_said_once_it_does_not_take_back():
    usage = {"total_tokens": 3}
    whole = assembled({**choice({"content": "a"}, "stop"), "usage": usage}, choice({}))
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"] == usage


def test_what_a_stream_leaves_out_adds_nothing():
    named: dict[str, Any] = {"name": "draw", "arguments": None}
    whole = assembled(
        choice({"tool_calls": [{"index": 0, "id": "call_1", "function": named}]}),
        choice({"tool_calls": [{"index": 0}]}, logprobs={"content": None}),
    )
    [call] = whole["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "draw", "arguments": ""}
    assert whole["choices"][0]["logprobs"]["content"] == []


@pytest.mark.parametrize(
    ("anchor", "seconds"),
    [(None, "3600"), ("created_at", "3600" + "0" * 5_000), ("created_at", "٣٦٠٠")],
)
def test_a_life_that_is_not_wholly_said_is_refused(anchor: Any, seconds: str):
    with pytest.raises(ApiError) as refused:
        life_seconds(anchor, seconds)
    assert (refused.value.param or "").startswith("expires_after.")


def test_what_a_job_lacks_is_told_as_missing():
    with pytest.raises(ApiError) as refused:
        parse_job_request({"model": BASE})
    assert refused.value.code == "missing_required_parameter"


def test_a_block_of_a_method_that_is_no_object_is_named():
    method = {"type": "supervised", "supervised": "fast"}
    with pytest.raises(ApiError) as refused:
        parse_job_request({**JOB, "method": method})
    assert refused.value.param == "method.supervised"


def test_a_name_that_is_a_folder_is_replaced():
    assert parse_upload_request({**UPLOAD, "filename": "dir/"}).filename == "upload"


@pytest.mark.parametrize(("text", "limit"), [("7", 7), ("99", 50), ("9" * 5_000, 50)])
def test_a_limit_has_a_limit(text: str, limit: int):
    assert read_limit(QueryDict(f"limit={text}"), default=20, largest=50) == limit


def test_of_a_long_table_a_page_is_read(organization: Organization):
    for _ in range(3):
        make_job(organization=organization)
    with CaptureQueriesContext(connection) as queries:
        found, has_more = cut_page(
            TuningJob.objects.all(), after=None, limit=1, newest_first=True
        )
    assert (len(found), has_more) == (1, True)
    assert "LIMIT 2" in queries[0]["sql"]


def test_what_a_job_does_not_have_is_null(db: None):
    job = wire.job(make_job())
    for name in ("fine_tuned_model", "validation_file", "user_provided_suffix"):
        assert job[name] is None
    assert job["hyperparameters"]["n_epochs"] == "auto"


def test_what_a_job_has_is_shown(db: None):
    job = wire.job(
        make_job(
            fine_tuned_model="ft:a",
            validation_file="file-2",
            suffix="cards",
            resolved_hyperparameters={"n_epochs": 3},
        )
    )
    assert (job["fine_tuned_model"], job["validation_file"]) == ("ft:a", "file-2")
    assert job["user_provided_suffix"] == "cards"
    assert job["hyperparameters"] == {"n_epochs": 3}


CALL = {"name": "draw", "arguments": "{}"}
TWO = "<|im_start|><|im_end|>"


def verdict(*messages: Any, **line: Any) -> str:
    row = {"messages": [*messages, chat()["messages"][1]], **line}
    try:
        return f"{check_validation_file(opened(jsonl(row))).n_examples} examples"
    except FileRefused as refused:
        return refused.message


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "function_call": CALL},
        {"role": "function", "name": "draw", "content": "3"},
    ],
)
def test_the_older_form_of_calls_is_understood(message: Any):
    assert verdict(message) == "1 examples"


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": TWO},
        {"role": "user", "content": "a", "name": TWO},
        {"role": "assistant", "content": TWO, "function_call": CALL},
        {"role": "assistant", "function_call": {**CALL, "arguments": f'"{TWO}"'}},
    ],
)
def test_of_control_tokens_the_first_is_named(message: Any):
    assert verdict(message).count("control token") == 1


def test_of_control_tokens_in_tools_the_first_is_named():
    function = {"name": "draw", "description": TWO}
    tools = [{"type": "function", "function": function}]
    assert verdict(tools=tools).count("control token") == 1


def test_an_empty_list_of_tools_is_none():
    assert conversations({**chat(), "tools": []}, "supervised")[0].tools is None
