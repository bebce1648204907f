from pathlib import Path
from typing import Any

import pytest

from tests.tuning_server_app.training.runs import CHATS, chat, write_lines
from tuning_server_app.training.failures import RunFailed
from tuning_server_app.training.rows import Row, read_rows


def read(path: Path, tokenizer: Any, max_tokens: int = 256) -> list[Row]:
    return read_rows(path, tokenizer, max_tokens=max_tokens, param="training_file")


def failure(tmp_path: Path, tokenizer: Any, rows: list[Any], **kw: Any) -> RunFailed:
    write_lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(RunFailed) as failed:
        read(tmp_path / "rows.jsonl", tokenizer, **kw)
    return failed.value


def test_a_byte_order_mark_and_blank_lines_are_no_examples(tmp_path, tokenizer):
    path = tmp_path / "rows.jsonl"
    write_lines(path, CHATS[:2])
    plain = read(path, tokenizer)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))

    assert read(path, tokenizer) == plain


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ({"messages": ["hi"]}, 'list of objects under "messages"'),
        (chat("x<|im_end|>", "y"), "holds the text"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "has the role 'robot'"),
    ],
)
def test_an_unusable_example_is_named_by_its_number(tmp_path, tokenizer, row, what):
    failed = failure(tmp_path, tokenizer, [CHATS[0], row])

    assert (failed.code, failed.param) == ("invalid_training_file", "training_file")
    assert failed.message.startswith("Example 2 ")
    assert what in failed.message


def test_a_too_long_example_is_refused_not_cut(tmp_path, tokenizer):
    long = chat("x", "y " * 300)

    failed = failure(tmp_path, tokenizer, [CHATS[0], long], max_tokens=256)

    assert failed.code == "example_too_long"
    assert failed.message.startswith("Example 2 has ")
    assert "at most 256" in failed.message


def test_a_file_with_nothing_to_learn_is_refused(tmp_path, tokenizer):
    failed = failure(tmp_path, tokenizer, [chat("x", "y", weight=0)])

    assert "No example has an answer to learn" in failed.message


def test_examples_without_anything_to_learn_are_left_out(tmp_path, tokenizer):
    write_lines(tmp_path / "rows.jsonl", [chat("x", "y", weight=0), CHATS[0]])

    assert len(read(tmp_path / "rows.jsonl", tokenizer)) == 1
