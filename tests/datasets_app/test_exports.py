"""The formats that rows leave in, and that what leaves comes back the same."""

import csv
import io
import json
from itertools import product

import pyarrow.parquet as pq
import pytest

from datasets_app.chat_format import DPO, SUPERVISED, canonical_line
from datasets_app.exports import FORMATS, Tally, parquet, row_of, write
from datasets_app.exports.parquet import GROUP_ROWS
from datasets_app.formats import open_rows, to_record
from teams_app.csv_cells import FORMULA_STARTS, csv_line, tame, untame

ASK = {"role": "user", "content": "네 더 블레이드?"}
ANSWER = {"role": "assistant", "content": "It hits <b>twice</b>, “both”\nturns."}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {
    "role": "assistant",
    "tool_calls": [
        {
            "id": "call_2_1",
            "type": "function",
            "function": {"name": "draw", "arguments": '{"n":2}'},
        }
    ],
}
RESULT = {"role": "tool", "content": "7", "tool_call_id": "call_2_1"}
TOOL = {"type": "function", "function": {"name": "draw", "parameters": {}}}
IMAGE = {
    "role": "user",
    "content": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}],
}
PLAIN = {"messages": [SYSTEM, ASK, ANSWER]}
LONG = {"messages": [ASK, ANSWER, ASK, ANSWER]}
TOOLS = {"messages": [ASK, CALL, RESULT, ANSWER], "tools": [TOOL]}
PREFERENCE = {
    "messages": [SYSTEM, ASK],
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "=No."}],
}


def exported(key: str, *records, method: str = SUPERVISED) -> tuple[bytes, Tally]:
    tally = Tally()
    rows = [row_of(record, method) for record in records]
    return b"".join(write(FORMATS[key], rows, tally)), tally


def left_out(key: str, record, method: str = SUPERVISED) -> str:
    """Why the format cannot hold the record."""
    _data, tally = exported(key, record, method=method)
    assert tally.n_written == 0
    ((reason, n),) = tally.left_out.items()
    assert n == 1
    return reason


def came_back(data: bytes, format: str, mapping=None, method: str = SUPERVISED):
    """The canonical lines of an export that is imported again."""
    lines = open_rows(io.BytesIO(data), format=format)
    records = [to_record(line, format, mapping) for line in lines]
    return [canonical_line(record, method) for record in records]


def lines_of(*records, method: str = SUPERVISED) -> list[str]:
    return [canonical_line(record, method) for record in records]


class TestOpenAI:
    def test_is_the_canonical_line_byte_for_byte(self):
        data, tally = exported("openai", PLAIN, TOOLS)
        assert data.decode().splitlines() == lines_of(PLAIN, TOOLS)
        assert (tally.n_written, tally.n_left_out) == (2, 0)

    def test_of_preferences_comes_back_the_same(self):
        data, _tally = exported("dpo", PREFERENCE, method=DPO)
        assert json.loads(data).keys() == {
            *("input", "preferred_output", "non_preferred_output")
        }
        assert came_back(data, "dpo", method=DPO) == lines_of(PREFERENCE, method=DPO)

    def test_of_preferences_leaves_out_what_has_only_one_answer(self):
        one = {"messages": [ASK], "preferred_output": [ANSWER]}
        assert left_out("dpo", one, DPO) == "no_preference"


class TestShareGPT:
    @pytest.mark.parametrize("record", [PLAIN, LONG, TOOLS])
    def test_comes_back_the_same(self, record):
        data, _tally = exported("sharegpt", record)
        assert came_back(data, "sharegpt") == lines_of(record)

    def test_says_from_and_value(self):
        data, _tally = exported("sharegpt", PLAIN)
        assert json.loads(data) == {
            "system": "Be brief.",
            "conversations": [
                {"from": "human", "value": ASK["content"]},
                {"from": "gpt", "value": ANSWER["content"]},
            ],
        }

    def test_keeps_what_is_not_to_be_learnt(self):
        record = {"messages": [ASK, {**ANSWER, "weight": 0}, ASK, ANSWER]}
        data, _tally = exported("sharegpt", record)
        assert came_back(data, "sharegpt") == lines_of(record)

    def test_leaves_out_images_and_words_beside_a_call(self):
        speaks = {**CALL, "content": "Wait."}
        assert left_out("sharegpt", {"messages": [IMAGE, ANSWER]}) == "parts"
        assert left_out("sharegpt", {"messages": [ASK, speaks]}) == "calls_and_text"


class TestAlpaca:
    @pytest.mark.parametrize("record", [PLAIN, LONG])
    def test_comes_back_the_same(self, record):
        data, _tally = exported("alpaca", record)
        assert came_back(data, "alpaca") == lines_of(record)

    @pytest.mark.parametrize(
        ("messages", "reason"),
        [
            ([ASK, CALL, RESULT, ANSWER], "tools"),
            ([IMAGE, ANSWER], "parts"),
            ([ASK, ASK, ANSWER], "turns"),
            ([ASK, {**ANSWER, "weight": 0}], "weights"),
            ([{**ASK, "name": "Kim"}, ANSWER], "names"),
            ([SYSTEM], "turns"),
            ("text", "shape"),
            ([], "shape"),
            (["text"], "shape"),
            ([{"role": "user", "content": None}], "shape"),
        ],
    )
    def test_leaves_out_what_it_cannot_hold(self, messages, reason):
        assert left_out("alpaca", {"messages": messages}) == reason


class TestCSV:
    def test_comes_back_the_same(self):
        data, _tally = exported("csv", PLAIN)
        roles = {role: role for role in ("system", "user", "assistant")}
        assert came_back(data, "csv", roles) == lines_of(PLAIN)

    @pytest.mark.parametrize("sign", FORMULA_STARTS)
    def test_holds_no_formula(self, sign):
        text = f"{sign}cmd|' /C calc'!A0"
        record = {"messages": [ASK, {"role": "assistant", "content": text}]}
        data, _tally = exported("csv", record)
        (_headings, (_system, _asked, answer)) = csv.reader(
            io.StringIO(data.decode("utf-8-sig"), newline="")
        )
        assert answer == f"'{text}"

    def test_comes_back_the_same_with_signs_of_formulas(self):
        turns = [ASK, {"role": "assistant", "content": "- one\n- '=two"}]
        data, _tally = exported("csv", {"messages": turns})
        roles = {"user": "user", "assistant": "assistant"}
        assert came_back(data, "csv", roles) == lines_of({"messages": turns})

    @pytest.mark.parametrize("text", ["=1", "'=1", "''＝1", "'tis", "plain", "", "'"])
    def test_an_apostrophe_is_taken_away_again(self, text):
        assert untame(tame(text)) == text

    def test_is_written_as_csv_writer_does(self):
        parts = ("", " ", "a", "그", '"', ",", "\n", "\r", "'", ";")
        for one, other in product(map("".join, product(parts, repeat=3)), ("", "x,")):
            written = io.StringIO()
            csv.writer(written).writerow([tame(one), tame(other)])
            assert csv_line([one, other]) == written.getvalue()

    def test_of_conversations_holds_tools_and_images(self):
        records = TOOLS, {"messages": [IMAGE, ANSWER]}, LONG
        data, _tally = exported("csv-conversations", *records)
        columns = {"messages": "messages", "tools": "tools"}
        assert came_back(data, "csv", columns) == lines_of(*records)

    def test_of_conversations_has_no_column_for_how_tools_are_called(self):
        record = {**TOOLS, "parallel_tool_calls": False}
        assert left_out("csv-conversations", record) == "call_settings"

    def test_of_questions_has_room_for_one(self):
        assert left_out("csv", LONG) == "turns"

    def test_of_preferences_is_formula_safe_too(self):
        data, _tally = exported("csv-dpo", PREFERENCE, method=DPO)
        _headings, cells = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        assert cells == ["Be brief.", ASK["content"], ANSWER["content"], "'=No."]


class TestParquet:
    def test_comes_back_the_same(self):
        data, _tally = exported("parquet", PLAIN, LONG, TOOLS)
        columns = {"messages": "messages", "tools": "tools"}
        assert came_back(data, "parquet", columns) == lines_of(PLAIN, LONG, TOOLS)

    def test_of_preferences_comes_back_the_same(self):
        data, _tally = exported("parquet-dpo", PREFERENCE, method=DPO)
        back = came_back(data, "parquet", {"kind": "dpo"}, DPO)
        assert back == lines_of(PREFERENCE, method=DPO)

    def test_is_written_in_row_groups(self):
        rows = (row_of(PLAIN, SUPERVISED) for _ in range(2 * GROUP_ROWS + 1))
        pieces = list(write(FORMATS["parquet"], rows, Tally()))
        file = pq.ParquetFile(io.BytesIO(b"".join(pieces)))

        assert file.metadata.num_row_groups == 3
        assert file.metadata.num_rows == 2 * GROUP_ROWS + 1
        assert all(pieces[:3])  # each on its way before the next one was read

    def test_a_group_of_long_rows_is_short(self, monkeypatch):
        monkeypatch.setattr(parquet, "GROUP_CHARACTERS", 1)
        data, _tally = exported("parquet", PLAIN, TOOLS)

        assert pq.ParquetFile(io.BytesIO(data)).metadata.num_row_groups == 2

    def test_of_no_rows_is_a_file_all_the_same(self):
        data, _tally = exported("parquet")
        assert pq.ParquetFile(io.BytesIO(data)).metadata.num_rows == 0

    @pytest.mark.parametrize(
        ("turn", "reason"),
        [
            (IMAGE, "parts"),
            ({"role": "assistant", "content": "x", "weight": "1"}, "shape"),
            ({"role": "assistant", "content": 5}, "shape"),
            ({"role": "assistant", "content": "x", "mood": "glad"}, "shape"),
            ({"role": "assistant", "content": None, "tool_calls": [5]}, "shape"),
        ],
    )
    def test_leaves_out_one_row_and_not_its_group(self, turn, reason):
        data, tally = exported("parquet", PLAIN, {"messages": [ASK, turn]})

        assert tally.left_out == {reason: 1}
        assert pq.ParquetFile(io.BytesIO(data)).metadata.num_rows == 1


class TestWithFurtherKeys:
    """Nothing the file said is lost when a dataset moves to another site."""

    @pytest.mark.parametrize(
        ("format", "row"),
        [
            (
                "chat",
                {
                    "messages": [{**ASK, "mood": "glad"}, ANSWER],
                    "tools": [TOOL],
                    "source": {"page": 5},
                    "id": 7,
                },
            ),
            ("chat", {"messages": [{"role": "developer", "content": "x"}, ANSWER]}),
            ("chat", PLAIN),
            (
                "dpo",
                {
                    "input": {"messages": [{**ASK, "mood": "sad"}], "seed": 1},
                    "preferred_output": [{**ANSWER, "score": 5}],
                    "non_preferred_output": [ANSWER],
                    "rater": "Kim",
                },
            ),
            ("rft", {"messages": [{**ASK, "mood": "glad"}], "answer": "7"}),
        ],
    )
    def test_a_row_comes_back_whole(self, format, row):
        method = {"chat": SUPERVISED, "dpo": DPO, "rft": "reinforcement"}[format]
        record = self.read(json.dumps(row).encode(), format)
        kept = row_of(record, method)._replace(
            extra=json.dumps(record["extra"]).encode() if "extra" in record else None
        )
        data = b"".join(write(FORMATS["whole"], [kept], Tally()))

        assert json.loads(data) == row
        assert self.read(data, format) == record

    def test_they_never_take_the_place_of_what_was_reviewed(self):
        notes = {"1": {"content": "Evil."}, "3": {"weight": 0, "tool_calls": []}}
        further = {"messages": notes, "tools": [TOOL], "id": 7}
        row = row_of(PLAIN, SUPERVISED)._replace(extra=json.dumps(further).encode())
        data = b"".join(write(FORMATS["whole"], [row], Tally()))

        assert json.loads(data) == {**PLAIN, "id": 7}

    @staticmethod
    def read(data: bytes, format: str):
        (line,) = open_rows(io.BytesIO(data), format=format)
        return to_record(line, format)
