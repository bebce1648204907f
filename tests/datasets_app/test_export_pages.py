import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from datasets_app import services
from datasets_app.models import Example, Split
from datasets_app.services import exports, row_stream
from teams_app.models import Role
from tests.factories import (
    make_dataset,
    make_example,
    make_member,
    make_team,
)

pytestmark = pytest.mark.django_db
ANSWER = {"role": "assistant", "content": "Two."}
TOOL = {"type": "function", "function": {"name": "draw", "parameters": {}}}
TOOL_TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": "Draw."},
    {
        "role": "assistant",
        "tool_calls": [
            {
                "id": "a",
                "type": "function",
                "function": {"name": "draw", "arguments": "{}"},
            }
        ],
    },
]


@pytest.fixture
def dataset():
    return make_dataset(name="카드 game/../x")


@pytest.fixture
def viewer(client, dataset):
    client.force_login(make_member(Role.VIEWER, dataset.team))
    return client


def exported(client, dataset, format: str = "openai", **query) -> list[bytes]:
    url = reverse("datasets:export_file", args=[dataset.pk, format])
    response = client.get(url, query)
    assert response.status_code == 200
    return b"".join(response.streaming_content).splitlines(keepends=True)


def test_the_file_is_the_same_bytes_as_a_version(viewer, dataset, monkeypatch):
    monkeypatch.setattr(row_stream, "PIECE_ROWS", 2)
    for _ in range(5):
        make_example(dataset=dataset)
    version = services.freeze(dataset=dataset, by=None)

    frozen = Path(version.training_file.path).read_bytes()
    assert b"".join(exported(viewer, dataset)) == frozen
    assert b"".join(exported(viewer, dataset, sort="-changed")) == frozen


def test_the_file_is_an_attachment_with_a_safe_name(viewer, dataset):
    url = reverse("datasets:export_file", args=[dataset.pk, "openai"])
    headers = viewer.get(url).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == (
        "attachment; filename*=utf-8''%EC%B9%B4%EB%93%9C-game-x.openai.jsonl"
    )


def test_only_rows_that_fit_the_filter_leave(viewer, dataset):
    make_example(dataset=dataset)
    held_out = make_example(dataset=dataset, split=Split.VALIDATION)
    make_example(dataset=dataset).delete()
    (line,) = exported(viewer, dataset, split="validation")

    assert json.loads(line)["messages"] == held_out.messages


def test_the_page_says_what_is_left_out_and_why(viewer, dataset):
    make_example(dataset=dataset)
    make_example(dataset=dataset, messages=TOOL_TURNS)
    shown = viewer.get(reverse("datasets:export", args=[dataset.pk]))

    text = shown.content.decode()
    assert "1 of the 2 rows has no place in this format" in text
    assert "1 use tools" in text


@pytest.mark.parametrize("limit", ["ROWS_LOOKED_AT", "CHARACTERS_LOOKED_AT"])
def test_the_page_looks_at_the_first_rows_only(viewer, dataset, monkeypatch, limit):
    monkeypatch.setattr(exports, limit, 2)
    for _ in range(4):
        make_example(dataset=dataset, messages=TOOL_TURNS)
    url = reverse("datasets:export", args=[dataset.pk])
    shown = viewer.get(url).content.decode()

    n = 2 if limit == "ROWS_LOOKED_AT" else 1
    assert f"{n} of the first {n} rows" in shown


def test_the_page_hands_the_filter_on_and_nothing_else(viewer, dataset):
    url = reverse("datasets:export", args=[dataset.pk])
    shown = viewer.get(url, {"q": 'a"&b', "team__users": "1"})

    assert all(
        choice["url"].endswith("/?q=a%22%26b") for choice in shown.context["choices"]
    )


def test_a_format_that_does_not_fit_the_dataset_is_not_there(viewer, dataset):
    for format in ("dpo", "exe"):
        url = reverse("datasets:export_file", args=[dataset.pk, format])
        assert viewer.get(url).status_code == 404


def test_a_part_of_a_version_leaves_as_it_was_frozen(viewer, dataset):
    example = make_example(dataset=dataset)
    said = example.messages[1]["content"]
    version = services.freeze(dataset=dataset, by=None)
    Example.objects.update(messages=[])
    args = [version.pk, "train"]
    assert viewer.get(reverse("datasets:version_export", args=args)).status_code == 200
    url = reverse("datasets:version_export_file", args=[*args, "alpaca"])
    data = b"".join(viewer.get(url).streaming_content)

    assert json.loads(data)["output"] == said
    nothing = reverse("datasets:version_export", args=[version.pk, "validation"])
    assert viewer.get(nothing).status_code == 404


def test_further_keys_leave_with_the_rows_where_asked_for(viewer, dataset):
    make_example(dataset=dataset, extra={"source": "p. 5"})

    assert b"source" not in exported(viewer, dataset)[0]
    assert b'"source":"p. 5"' in exported(viewer, dataset, "whole")[0]


def test_a_dataset_moves_whole(viewer, dataset):
    """What another site imports is what this one has, further keys and all."""
    rows = [
        {"messages": [{**TOOL_TURNS[0], "mood": "glad"}, ANSWER], "source": "p. 5"},
        {"messages": [TOOL_TURNS[0], {**ANSWER, "weight": 1}], "tools": [TOOL]},
        {"messages": [TOOL_TURNS[0], {"role": "assistant", "content": "=1"}]},
    ]
    imported(dataset, [json.dumps(row).encode() + b"\n" for row in rows])
    other = make_dataset(team=dataset.team)
    imported(other, exported(viewer, dataset, "whole"))

    def kept(dataset):
        fields = ("messages", "tools", "extra", "content_hash")
        return list(dataset.examples.values_list(*fields))

    assert len(kept(dataset)) == 3
    assert kept(other) == kept(dataset)


def imported(dataset, lines: list[bytes]) -> None:
    run = services.start_import(
        dataset=dataset,
        file=io.BytesIO(b"".join(lines)),
        file_name="rows.jsonl",
        split=Split.TRAIN,
    )
    services.run_import(run)


class TestTheCommand:
    @pytest.fixture
    def dataset(self):
        dataset = make_dataset(name="D", team=make_team(slug="ducks"))
        make_example(dataset=dataset)
        make_example(dataset=dataset, split=Split.VALIDATION)
        return dataset

    def export(self, tmp_path, *options: str) -> tuple[bytes, str]:
        said, path = io.StringIO(), tmp_path / "out"
        call_command(
            *("export", "D", "--team", "ducks", "--output", str(path), *options),
            stderr=said,
        )
        return path.read_bytes(), said.getvalue()

    def test_writes_all_rows_in_the_first_format(self, dataset, tmp_path):
        data, said = self.export(tmp_path)
        rows = [json.loads(line)["messages"] for line in data.splitlines()]

        assert rows == [example.messages for example in dataset.examples.all()]
        assert "2 rows written" in said

    def test_writes_a_part_of_a_version(self, dataset, tmp_path):
        version = services.freeze(dataset=dataset, by=None)
        Example.objects.all().delete()
        options = ("--version", "1", "--split", "validation")
        data, _said = self.export(tmp_path, *options)

        assert data == Path(version.validation_file.path).read_bytes()
        assert len(self.export(tmp_path, "--version", "1")[0].splitlines()) == 2

    def test_tells_what_was_left_out(self, dataset, tmp_path):
        make_example(dataset=dataset, messages=TOOL_TURNS)
        _data, said = self.export(tmp_path, "--format", "alpaca")

        assert "2 rows written" in said
        assert "1 left out: they use tools" in said

    def test_says_which_formats_and_versions_there_are(self, dataset, tmp_path):
        with pytest.raises(CommandError, match="They go into: openai, whole"):
            self.export(tmp_path, "--format", "dpo")
        with pytest.raises(CommandError, match="no version 7"):
            self.export(tmp_path, "--version", "7")

    def test_says_where_it_cannot_write(self, dataset, tmp_path):
        with pytest.raises(CommandError, match="Cannot write"):
            self.export(tmp_path, "--output", str(tmp_path))
