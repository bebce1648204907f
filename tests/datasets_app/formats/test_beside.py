"""What stands in a table beside the conversation: its pictures and its tags."""

import io
from typing import Any

import pytest

from datasets_app.chat_checks import find_problems
from datasets_app.formats import convert, guess_mapping, open_rows, tags_of, to_record
from tests.datasets_app.formats.files import COLUMNS, ROW, as_json, parquet_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF\0\0\0\0WEBP" + bytes(8)
ADDRESS = "https://example.com/a.png"
IMAGE = {**COLUMNS, "image": "image"}


def part(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def of_parquet(row: dict[str, Any], mapping: dict[str, str]) -> dict[str, Any]:
    (line,) = open_rows(io.BytesIO(parquet_of(row)), format="parquet")
    return to_record(line, "parquet", mapping)


def images(record: dict[str, Any]) -> list[str]:
    content = record["messages"][0]["content"]
    return [each["image_url"]["url"] for each in content if "image_url" in each]


@pytest.mark.parametrize(
    ("data", "kind"), [(PNG, "png"), (JPEG, "jpeg"), (WEBP, "webp")]
)
def test_the_bytes_of_a_picture_become_a_part_of_the_question(data, kind):
    picture = {"bytes": data, "path": "a.png"}
    record = of_parquet({**ROW, "image": picture}, IMAGE)

    (url,) = images(record)
    assert url.startswith(f"data:image/{kind};base64,")
    assert record["messages"][0]["content"][1]["text"] == ROW["question"]
    assert record["extra"] == {"image": {"path": "a.png"}}  # nothing is lost
    assert find_problems(record) == []


def test_a_column_of_bare_bytes_is_a_picture_too():
    assert len(images(of_parquet({**ROW, "image": PNG}, IMAGE))) == 1


def test_a_list_of_pictures_fills_the_places_that_the_messages_have():
    place = {"type": "image"}
    asked = [{"type": "text", "text": "Which?"}, place, place]
    messages = [{"role": "user", "content": asked}]
    addresses = ["https://a/1.png", "https://a/2.png", ADDRESS]
    mapping = {"messages": "messages", "image": "images"}
    row = {"messages": messages, "images": addresses}
    record = convert(row, "columns", mapping)
    content = record["messages"][0]["content"]

    assert content[2:] == [part("https://a/1.png"), part("https://a/2.png")]
    assert content[0] == part(ADDRESS)  # for which no place was left


@pytest.mark.parametrize(
    "cell", [ADDRESS, [ADDRESS], f'["{ADDRESS}"]', {"url": ADDRESS}, {"path": ADDRESS}]
)
def test_an_address_is_a_picture_however_it_is_written(cell):
    record = convert({**ROW, "image": cell}, "csv", IMAGE)

    assert images(record) == [ADDRESS]
    assert "extra" not in record


@pytest.mark.parametrize("cell", ["cat.png", {"path": "cat.png"}, ["cat.png"], 7])
def test_what_is_no_picture_stays_among_the_further_keys(cell):
    record = convert({**ROW, "image": cell}, "csv", IMAGE)

    assert record["messages"][0]["content"] == ROW["question"]
    assert record["extra"] == {"image": cell}


def test_no_picture_leaves_the_question_as_it_is():
    record = convert({**ROW, "image": ""}, "csv", IMAGE)

    assert record["messages"][0]["content"] == ROW["question"]
    assert "extra" not in record


def test_a_kind_with_columns_of_its_own_takes_pictures_too():
    row = {"instruction": "What is it?", "output": "A cat.", "image": ADDRESS}
    record = convert(row, "csv", guess_mapping(list(row)))

    assert images(record) == [ADDRESS]


def read_tags(value: Any) -> list[str]:
    (line,) = open_rows(io.BytesIO(as_json({**ROW, "tags": value})), format="columns")
    return tags_of(line, "columns", {**COLUMNS, "tags": "tags"})


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("rules, 카드 ,rules", ["rules", "카드"]),
        (["rules", "a, b"], ["rules", "a, b"]),
        ('["rules", 7]', ["rules", "7"]),
        (" , ", []),
        (None, []),
        ({"a": 1}, []),
        ([{"a": 1}], []),
        ("x\u0000y", ["xy"]),
        ("\u1112\u1161\u11ab", ["한"]),  # as a Mac types it
    ],
)
def test_tags_are_a_list_or_a_text_with_commas(value, tags):
    assert read_tags(value) == tags


def test_tags_are_no_further_key_but_what_is_none_is():
    mapping = {**COLUMNS, "tags": "tags"}

    assert "extra" not in convert({**ROW, "tags": "a,b"}, "csv", mapping)
    odd = convert({**ROW, "tags": {"a": 1}}, "csv", mapping)
    assert odd["extra"] == {"tags": {"a": 1}}


def test_both_are_guessed_by_their_names_where_there_is_a_conversation():
    found = guess_mapping(["질문", "답변", "태그", "이미지"])

    assert (found["tags"], found["image"]) == ("태그", "이미지")
    assert guess_mapping(["id", "tags", "image"]) == {}


def test_rows_that_are_no_table_have_no_tags():
    (line,) = open_rows(
        io.BytesIO(as_json({"messages": [], "tags": "a"})), format="chat"
    )

    assert tags_of(line, "chat") == []
