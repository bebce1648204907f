"""The site's counts, without torch, beside what the trainer really trains on."""

from typing import Any

import pytest

from datasets_app.own_tokens import OwnCounter
from open_chats.tokenizer_files import TokenizerFiles
from tests.tuning_server_app.training.test_chat_rendering import CALL, CHAT, TOOL
from tuning_server_app.base_models import SMOLLM2
from tuning_server_app.training.chat_rendering import render_chat
from tuning_server_app.training.loading import load_tokenizer
from tuning_server_app.training.save_tokenizer import save_tokenizer

pytestmark = pytest.mark.torch

WITH_TOOLS: list[dict[str, Any]] = [
    {"role": "user", "content": "Draw two."},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    {"role": "assistant", "content": "  Done.\n\n😀 é 안녕  "},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers") / SMOLLM2.name
    save_tokenizer(SMOLLM2, folder)
    return folder


@pytest.fixture(scope="module")
def counter(folder):
    return OwnCounter("own:smollm2", TokenizerFiles(folder))


@pytest.mark.parametrize(
    ("messages", "tools"),
    [
        (CHAT, None),
        (CHAT[1:3], None),
        (CHAT[:2], None),
        (WITH_TOOLS, [TOOL]),
        ([{"role": "developer", "content": "Obey."}, *CHAT[1:]], None),
    ],
)
def test_the_site_counts_what_the_trainer_trains_on(folder, counter, messages, tools):
    trained = render_chat(load_tokenizer(folder), messages, tools)
    record = {"messages": messages, "tools": tools}

    assert counter.count(record) == len(trained.ids)
    assert sum(counter.per_message(record)) == len(trained.ids)


def test_saving_it_twice_at_once_leaves_one_whole_folder(folder):
    save_tokenizer(SMOLLM2, folder)

    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
