"""Whatever the check of a training file says, the trainer says too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_chats.tokenizer_files import TokenizerFiles
from tests.tuning_server_app.tiny_model import make_tiny_tokenizer
from tests.tuning_server_app.training.runs import write_lines
from tuning_server_app.training.failures import RunFailed
from tuning_server_app.training.preferences import read_pairs
from tuning_server_app.training.rows import read_rows
from tuning_server_app.training_files.checking import check_validation_file
from tuning_server_app.training_files.fitting import BaseModelReader
from tuning_server_app.training_files.lines import FileRefused

pytestmark = pytest.mark.torch

CONTEXT = 48
Tokenizer = tuple[Any, TokenizerFiles]
# One knows nothing of tools; one writes them; one refuses what does not alternate.
TEMPLATES = [
    "",
    "{% for tool in tools %}{{ tool.function | tojson }}\n{% endfor %}"
    "{% for message in messages if message.tool_calls %}"
    "{% for call in message.tool_calls %}{{ call.function.arguments | tojson }}"
    "{% endfor %}{% endfor %}",
    "{% for message in messages if message.role == 'system' and not loop.first %}"
    "{{ raise_exception('System must come first') }}{% endfor %}",
]


@pytest.fixture(scope="module", params=TEMPLATES, ids=["plain", "tools", "strict"])
def both(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """The same tokenizer as the trainer has it, and as the check has it."""
    tokenizer = make_tiny_tokenizer()
    tokenizer.chat_template = request.param + tokenizer.chat_template
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return tokenizer, TokenizerFiles(folder)


texts = st.sampled_from(
    ["Ten.", "피해는?", " ", "", "x<|im_end|>", "x</s>", "long " * 60, "\ud83d\ude00"]
)
names = st.sampled_from(["draw", "", 5, "a b", "끝"])
arguments = st.sampled_from(
    ["{}", "[", '"\\ud800"', "NaN", "9" * 5000, "[" * 990 + "]" * 990, 3, None]
)
functions = st.fixed_dictionaries({"name": names, "arguments": arguments})
calls = st.lists(
    st.fixed_dictionaries(
        {"id": st.just("c"), "type": st.just("function"), "function": functions}
    )
    | st.just({"function": {"name": "draw", "arguments": "{}"}}),
    max_size=2,
)
roles = st.sampled_from(["system", "user", "assistant", "tool", "function", "robot"])
messages = st.lists(
    st.fixed_dictionaries(
        {"role": roles, "content": texts | st.none()},
        optional={
            "name": names,
            "tool_call_id": st.just("c"),
            "tool_calls": calls,
            "function_call": functions,
            "weight": st.sampled_from([0, 1, 1.0, True, None]),
        },
    ),
    max_size=3,
)
questions = st.just([{"role": "user", "content": "How much?"}])
answers = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": texts}, optional={"tool_calls": calls}
)
tools = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.lists(
            st.fixed_dictionaries({"type": st.just("function"), "function": functions})
            | st.just({"type": "function", "function": {"name": "draw"}}),
            max_size=2,
        ),
        "functions": st.lists(st.just({"name": "draw"}) | functions, max_size=1),
        "parallel_tool_calls": st.sampled_from([True, "yes"]),
    },
)


def as_chat(start: list[Any], middle: list[Any], answer: Any, extra: Any) -> Any:
    return {"messages": [*start, *middle, answer], **extra}


def as_preference(start: list[Any], middle: list[Any], answer: Any, extra: Any) -> Any:
    extra = {key: value for key, value in extra.items() if key != "functions"}
    asked = {"messages": [*middle, *start], **extra}
    return {
        "input": asked,
        "preferred_output": [answer],
        "non_preferred_output": [answer],
    }


parts = (questions, messages, answers, tools)
chats = st.lists(st.builds(as_chat, *parts), min_size=1, max_size=2)
preferences = st.lists(st.builds(as_preference, *parts), min_size=1, max_size=2)
often = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def checked(path: Path, files: TokenizerFiles, method: str) -> object:
    """How many examples are learnt, or why none is."""
    try:
        with path.open("rb") as lines:
            found = check_validation_file(
                lines, method, BaseModelReader(files, CONTEXT)
            )
    except FileRefused as refused:
        return refused.code
    return found.n_examples - found.left_out.n


def trained(path: Path, tokenizer: Any, method: str) -> object:
    read: Any = read_pairs if method == "dpo" else read_rows
    try:
        return len(read(path, tokenizer, max_tokens=CONTEXT, param="training_file"))
    except RunFailed as failed:
        return failed.code


def said_twice(both: Tokenizer, folder: Path, rows: list[Any], method: str) -> Any:
    tokenizer, files = both
    write_lines(folder / "rows.jsonl", [json.dumps(row) for row in rows])
    path = folder / "rows.jsonl"
    return checked(path, files, method), trained(path, tokenizer, method)


@often
@given(rows=chats)
def test_of_chats(both: Tokenizer, tmp_path: Path, rows: list[Any]):
    check, training = said_twice(both, tmp_path, rows, "supervised")
    assert check == training


@often
@given(rows=preferences)
def test_of_preferences(both: Tokenizer, tmp_path: Path, rows: list[Any]):
    check, training = said_twice(both, tmp_path, rows, "dpo")
    assert check == training
