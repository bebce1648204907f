import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tuning_server_app.tiny_model import make_tiny_tokenizer
from tests.tuning_server_app.training.runs import CHATS, chat, write_lines
from tuning_server_app.training.failures import RunFailed
from tuning_server_app.training.rows import read_rows
from tuning_server_app.training.token_file import StoredRow, TokenFile


def read(
    path: Path, tokenizer: Any, max_tokens: int = 256, tell: Any = None
) -> list[StoredRow]:
    return read_rows(
        path, tokenizer, max_tokens=max_tokens, param="training_file", tell=tell
    )


def failure(tmp_path: Path, tokenizer: Any, rows: list[Any], **kw: Any) -> RunFailed:
    write_lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(RunFailed) as failed:
        read(tmp_path / "rows.jsonl", tokenizer, **kw)
    return failed.value


def test_a_byte_order_mark_and_blank_lines_are_no_examples(tmp_path, tokenizer):
    path = tmp_path / "rows.jsonl"
    write_lines(path, CHATS[:2])
    plain = [row.ids for row in read(path, tokenizer)]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))

    assert [row.ids for row in read(path, tokenizer)] == plain


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{", "the line is not valid JSON"),
        ("[]", "the line is not a JSON object"),
        ({"messages": ["hi"]}, "message 1 is not a JSON object"),
        (chat("x</s>", "y"), "cannot be used. Message 1 holds the text </s>"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "has the role 'robot'"),
        (chat("x", "y", weight=0), "nothing to learn"),
    ],
)
def test_an_unusable_example_is_named_by_its_number(tmp_path, row, what):
    tokenizer = make_tiny_tokenizer()
    tokenizer.add_special_tokens({"cls_token": "</s>"})
    failed = failure(tmp_path, tokenizer, [CHATS[0], row])

    assert (failed.code, failed.param) == ("invalid_file_format", "training_file")
    assert failed.message.startswith("The file format is invalid. Example 2")
    assert what in failed.message


def test_a_too_long_example_is_cut_at_its_end_and_that_is_told(tmp_path, tokenizer):
    rows = [CHATS[0], chat("x", "y " * 300), chat("x " * 300, "y")]
    write_lines(tmp_path / "rows.jsonl", rows)
    told: list[str] = []

    first, cut = read(tmp_path / "rows.jsonl", tokenizer, 64, tell=told.append)

    assert (first.is_scored[-1], len(cut.ids), cut.is_scored[-1]) == (False, 64, True)
    assert told == [
        "2 of the 3 examples of the training_file are longer than the 64 tokens that"
        " the base model reads, and were cut at their end; of 1 no answer was left"
    ]


def test_a_file_of_which_the_model_reads_no_answer_is_refused(tmp_path, tokenizer):
    failed = failure(tmp_path, tokenizer, [chat("x " * 300, "y")], max_tokens=64)

    assert failed.code == "invalid_training_file"
    assert "No example has an answer" in failed.message


def test_tokens_do_not_stay_in_memory(tmp_path, tokenizer):
    rows = [chat("How many?", "y " * 1_000)] * 150
    write_lines(tmp_path / "rows.jsonl", rows)
    tracemalloc.start()

    read_in = read(tmp_path / "rows.jsonl", tokenizer, 4_000)
    n_bytes, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(row.n_tokens for row in read_in) > 200_000
    assert n_bytes < 200_000  # less than a byte for each
    assert most < 2_000_000


def test_a_full_disk_under_the_tokens_is_explained(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    tokens = TokenFile(tmp_path)
    monkeypatch.setattr(tokens, "_file", SimpleNamespace(write=full, flush=full))

    for write in (lambda: tokens.add([1], [True]), tokens.finish):
        with pytest.raises(RunFailed, match="No space left") as failed:
            write()
        assert failed.value.code == "disk_problem"


def test_tokens_lie_in_a_file_without_a_name(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    tokens = TokenFile(folder)
    rows = [tokens.add([7, 300], [False, True]), tokens.add([8], [True])]
    tokens.finish()

    assert [row.ids for row in rows] == [[7, 300], [8]]
    assert [row.is_scored for row in rows] == [[False, True], [True]]
    assert not list(folder.iterdir())
