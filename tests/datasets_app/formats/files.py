"""Files as people have them: packed, in other encodings, as arrays and as tables."""

import gzip
import io
import json
import zlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ASKED, SAID = "네더 블레이드는?", '매 턴 두 번 공격합니다.\n"=1+1", 끝'
CHAT = {
    "messages": [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": SAID},
    ]
}


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def parquet_of(*rows: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file, **options)
    return file.getvalue()


def gzip_bomb(n_bytes: int) -> bytes:
    """One long line, packed to a thousandth of its size."""
    packer = zlib.compressobj(9, wbits=31)
    packed = io.BytesIO()
    for _ in range(n_bytes // 1024**2):
        packed.write(packer.compress(b"x" * 1024**2))
    packed.write(packer.flush())
    return packed.getvalue()


def varint(number: int) -> bytes:
    """As Thrift's compact protocol writes a whole number that is not negative."""
    number, data = 2 * number, bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def lying_parquet(n_bytes: int) -> bytes:
    """Its only page claims to unpack to so many bytes; the footer knows nothing of it.

    A header begins with the page's kind and what it unpacks to.
    """
    data = parquet_of({"question": SAID * 50}, use_dictionary=False)
    column = pq.read_metadata(io.BytesIO(data)).row_group(0).column(0)
    start = column.data_page_offset + 3
    assert data[start - 3 : start] == b"\x15\x00\x15"
    end = next(n for n in range(start, start + 9) if data[n] < 128) + 1
    return data[:start] + varint(n_bytes) + data[end:]


CSV_TEXT = f'question,answer\n{ASKED},"매 턴 두 번 공격합니다.\n""=1+1"", 끝"\n'
CSV = CSV_TEXT.encode()


def delimited(mark: str) -> bytes:
    return CSV_TEXT.replace("n,a", f"n{mark}a").replace('?,"', f'?{mark}"').encode()


def as_cell(text: bytes) -> bytes:
    return b'"' + text.replace(b'"', b'""') + b'"'


ROW = {"question": ASKED, "answer": SAID}
COLUMNS = {"user": "question", "assistant": "answer"}

# What a file is called, what it is, and what it holds: all of them say CHAT.
FILES: list[tuple[str, str, bytes]] = [
    ("chat.jsonl", "chat", as_json(CHAT) + b"\n"),
    ("bom.jsonl", "chat", b"\xef\xbb\xbf" + as_json(CHAT)),
    ("utf16.jsonl", "chat", as_json(CHAT).decode().encode("utf-16")),
    ("packed.jsonl.gz", "chat", gzip.compress(as_json(CHAT))),
    ("array.json", "chat", as_json([CHAT])),
    ("pretty.json", "chat", json.dumps([CHAT], indent=2).encode()),
    ("array.json.gz", "chat", gzip.compress(b"\xef\xbb\xbf" + as_json([CHAT]))),
    ("old.jsonl", "prompt_completion", as_json({"prompt": ASKED, "completion": SAID})),
    (
        "turns.jsonl",
        "prompt_completion",
        as_json({"prompt": CHAT["messages"][:1], "completion": CHAT["messages"][1:]}),
    ),
    ("alpaca.json", "alpaca", as_json([{"instruction": ASKED, "output": SAID}])),
    (
        "sharegpt.json",
        "sharegpt",
        as_json(
            [
                {
                    "conversations": [
                        {"from": "human", "value": ASKED},
                        {"from": "gpt", "value": SAID},
                    ]
                }
            ]
        ),
    ),
    ("columns.jsonl", "columns", as_json(ROW)),
    ("table.csv", "csv", CSV),
    ("bom.csv", "csv", b"\xef\xbb\xbf" + CSV),
    ("windows.csv", "csv", CSV.replace(b"\n", b"\r\n").replace(b".\r\n", b".\n")),
    ("korean.csv", "csv", CSV_TEXT.encode("cp949")),
    ("utf16.csv", "csv", CSV_TEXT.encode("utf-16")),
    ("packed.csv.gz", "csv", gzip.compress(CSV)),
    (
        "semicolons.csv",
        "csv",
        CSV.replace(b"question,", b"question;").replace(b'?,"', b'?;"'),
    ),
    (
        "table.tsv",
        "tsv",
        CSV.replace(b"question,", b"question\t").replace(b'?,"', b'?\t"'),
    ),
    ("no-ending", "csv", CSV),
    (
        "chats.csv",
        "csv",
        b'messages\n"' + as_json(CHAT["messages"]).replace(b'"', b'""') + b'"\n',
    ),
    ("table.parquet", "parquet", parquet_of(ROW)),
    ("chats.parquet", "parquet", parquet_of(CHAT)),
    ("alpaca.parquet", "parquet", parquet_of({"instruction": ASKED, "output": SAID})),
]

# The code of the problem, what the file is called, and what it holds.
BAD_FILES: list[tuple[str, str, bytes]] = [
    ("no_text_file", "zip.jsonl", b"PK\x03\x04" + b"\0" * 100),
    ("no_text_file", "sheet.csv", b"PK\x03\x04" + b"\0" * 100),
    ("no_text_file", "old.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 100),
    ("no_text_file", "twice.gz", gzip.compress(gzip.compress(b"{}"))),
    ("no_text_file", "packed.parquet.gz", gzip.compress(parquet_of(ROW))),
    ("binary_file", "random.jsonl", bytes(range(256)) * 8),
    ("gzip_broken", "cut.jsonl.gz", gzip.compress(bytes(range(97, 123)) * 4)[:-9]),
    ("gzip_broken", "crc.jsonl.gz", gzip.compress(as_json(CHAT))[:-8] + b"12345678"),
    ("gzip_broken", "junk.gz", b"\x1f\x8b" + b"junk" * 100),
    ("gzip_bomb", "bomb.jsonl.gz", gzip_bomb(300 * 1024**2)),
    ("array_not_closed", "cut.json", as_json([CHAT])[:-1]),
    ("array_not_closed", "cut.json", as_json([CHAT])[:40]),
    ("more_after_array", "two.json", as_json([CHAT]) + b"\n{}"),
    ("parquet_broken", "cut.parquet", parquet_of(ROW)[:-10]),
    ("parquet_broken", "junk.parquet", b"PAR1" + b"junk" * 100),
    ("parquet_page_too_big", "lying.parquet", lying_parquet(2**31 - 1)),
    ("no_headings", "blank.csv", b",,\na,b,c\n"),
    ("no_headings", "empty.csv", b"\n"),
    ("too_many_columns", "wide.csv", b"c," * 999_999 + b"c\n"),
    ("too_many_columns", "wide.parquet", parquet_of({f"c{n}": 1 for n in range(1001)})),
    ("too_many_marks", "wider.csv", b"," * 2_000_000 + b"\n"),
    ("bad_csv", "quote.csv", b'a,"b\n'),
]

LONG_TABLE = b"question,answer\n" + (b"a" * 9_999 + b",b\n") * 110
TURN = {"from": "human", "value": "Hi"}
# The code of the problem, the format, the mapping, and the row or the bytes.
BAD_ROWS: list[tuple[str, str, dict[str, str], Any]] = [
    ("no_field", "alpaca", {}, {"output": "x"}),
    ("no_field", "alpaca", {}, {"instruction": "x"}),
    ("no_field", "prompt_completion", {}, {"prompt": "x"}),
    ("no_field", "sharegpt", {}, {"messages": []}),
    ("field_not_text", "alpaca", {}, {"instruction": "x", "output": 5}),
    ("field_not_text", "columns", {"user": "a", "assistant": "b"}, {"a": {}, "b": "x"}),
    ("field_not_list", "sharegpt", {}, {"conversations": "x"}),
    ("two_conversations", "sharegpt", {}, {"conversations": [], "messages": []}),
    (
        "two_conversations",
        "alpaca",
        {},
        {"instruction": "x", "output": "y", "messages": []},
    ),
    ("bad_history", "alpaca", {}, {"instruction": "x", "output": "y", "history": [1]}),
    ("bad_turn", "sharegpt", {}, {"conversations": [TURN, "x"]}),
    (
        "bad_turn_call",
        "sharegpt",
        {},
        {"conversations": [TURN, {"from": "function_call", "value": "x"}]},
    ),
    ("no_picture", "columns", {"image": "a"}, {"a": {"bytes": "c3Zn"}}),
    (
        "picture_without_question",
        "columns",
        {"messages": "m", "image": "a"},
        {"m": [{"role": "assistant", "content": "x"}], "a": "https://a/b.png"},
    ),
    ("tag_too_long", "columns", {"user": "a", "tags": "t"}, {"t": "x" * 51}),
    ("too_many_tags", "columns", {"user": "a", "tags": "t"}, {"t": [*range(51)]}),
    ("no_input", "dpo", {}, {"preferred_output": [], "non_preferred_output": []}),
    (
        "prompts_differ",
        "dpo",
        {},
        {"chosen": [TURN, TURN], "rejected": [{}, TURN]},
    ),
    ("other_method", "dpo", {}, {"messages": []}),
    ("other_method", "chat", {}, {"input": {"messages": []}, "preferred_output": []}),
    ("not_json", "columns", {"messages": "m"}, {"m": "[x"}),
    ("bad_csv", "csv", COLUMNS, b'question,answer\na,"b"c"\n'),
    ("bad_csv", "csv", COLUMNS, b'question,answer\na,"b\n'),
    ("row_too_long", "csv", COLUMNS, b'question,answer\na,"' + b"x" * 17_000_000),
    ("too_many_marks", "csv", COLUMNS, b"question,answer\n" + b"," * 1_000_001 + b"\n"),
    ("too_many_cells", "csv", COLUMNS, b"question,answer\na,b,c\n"),
    (
        "not_utf8",
        "csv",
        COLUMNS,
        b"question,answer\n" + b"a,b\n" * 300_000 + b"\xff,b\n",
    ),
]
