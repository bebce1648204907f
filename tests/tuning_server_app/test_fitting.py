"""What the check says of examples that only a certain base model cannot read."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from open_chats.tokenizer_files import TokenizerFiles
from tests.datasets_app.tokenizers_for_tests import TEMPLATE
from tests.tuning_server_app.factories import chat, jsonl, opened, preference
from tuning_server_app.training_files.checking import Checked, check_validation_file
from tuning_server_app.training_files.fitting import BaseModelReader
from tuning_server_app.training_files.lines import FileRefused

CONTEXT = 100
LONG = "길고 길게 " * 100
Reader = BaseModelReader


@pytest.fixture
def reader(small_tokenizer: Path) -> BaseModelReader:
    return BaseModelReader(TokenizerFiles(small_tokenizer), CONTEXT)


def check(reader: BaseModelReader, *rows: Any, method: str = "supervised") -> Checked:
    return check_validation_file(opened(jsonl(*rows)), method, reader)


def refusal(reader: BaseModelReader, *rows: Any) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        check(reader, *rows)
    return refused.value


def with_template(folder: Path, small_tokenizer: Path, template: str) -> Reader:
    shutil.copytree(small_tokenizer, folder / "other")
    (folder / "other" / "chat_template.jinja").write_text(template)
    return BaseModelReader(TokenizerFiles(folder / "other"), None)


def test_what_the_model_reads_whole_is_neither_cut_nor_left_out(reader: Reader):
    checked = check(reader, chat(), chat())
    assert (checked.n_examples, checked.cut.n, checked.left_out.n) == (2, 0, 0)


def test_a_too_long_answer_is_cut(reader: Reader):
    assert str(check(reader, chat(), chat(answer=LONG)).cut) == "2"


def test_a_too_long_question_leaves_nothing_to_learn(reader: Reader):
    checked = check(reader, chat(), chat(question=LONG))
    assert (checked.cut.n, str(checked.left_out)) == (0, "2")


def test_of_a_preference_both_answers_must_be_left(reader: Reader):
    rows = [preference(), preference(question=LONG)]
    assert check(reader, *rows, method="dpo").left_out.n == 1


def test_of_many_long_examples_the_first_are_named(reader: Reader):
    cut = check(reader, *(chat(answer=LONG) for _ in range(13))).cut
    assert str(cut) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more"


def test_a_file_of_which_the_model_reads_no_answer_is_refused(reader: Reader):
    refused = refusal(reader, chat(question=LONG))
    assert refused.code == "invalid_training_file"
    assert "No example has an answer" in refused.message


def test_a_context_that_is_not_known_cuts_nothing(small_tokenizer: Path):
    reader = BaseModelReader(TokenizerFiles(small_tokenizer), None)
    assert check(reader, chat(answer=LONG)).cut.n == 0


def test_the_models_own_control_tokens_are_found(tmp_path: Path, small_tokenizer: Path):
    reader = with_template(tmp_path, small_tokenizer, TEMPLATE)
    reader.template.tokenizer.add_special_tokens(["[INST]"])
    refused = refusal(reader, chat(), chat(question="a [INST] b"))
    assert refused.code == "invalid_file_format"
    assert "Example 2 cannot be used. Message 1 holds the text [INST]" in str(refused)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('Roles must alternate') }}", "Roles must alternate"),
        ("{{ messages[0]['content'] + 5 }}", "chat template cannot write it"),
        ("{{ messages | length }}" + TEMPLATE, "rewrites earlier messages"),
    ],
)
def test_what_the_models_template_refuses_is_named_by_example(
    tmp_path: Path, small_tokenizer: Path, template: str, says: str
):
    refused = refusal(with_template(tmp_path, small_tokenizer, template), chat())
    assert "Example 1 cannot be used. " in refused.message
    assert says in refused.message


def test_a_template_that_writes_nothing_before_an_answer_is_read(
    tmp_path: Path, small_tokenizer: Path
):
    plain = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
    reader = with_template(tmp_path, small_tokenizer, plain)
    assert check(reader, chat()).left_out.n == 0


def test_what_is_no_example_keeps_its_own_words(reader: Reader):
    assert refusal(reader, {"messages": []}).code == "invalid_file_format"
