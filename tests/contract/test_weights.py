"""A tuned model carried away: what the files API hands out answers as the server does,
in PEFT and in plain transformers."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.contract.conftest import BASE, work
from tests.tuning_server_app.factories import chats

pytestmark = [
    pytest.mark.torch,
    # PEFT asks transformers by an old name; nothing of ours does.
    pytest.mark.filterwarnings(
        "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"
    ),
]

Connect = Callable[..., openai.OpenAI]
QUESTION = [{"role": "user", "content": "How much is 3 + 1?"}]
N_TOKENS = 12


@pytest.fixture(autouse=True)
def _tiny_base_only(settings: Any, tiny_base: Path) -> None:
    settings.TUNING_SERVER_BASE_MODELS = {BASE: str(tiny_base)}


def train(client: openai.OpenAI) -> Any:
    file = client.files.create(file=("t.jsonl", chats(10)), purpose="fine-tune")
    hyperparameters: Any = {"n_epochs": 8, "batch_size": 5}
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file.id,
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": hyperparameters},
        },
    )
    work()
    return client.fine_tuning.jobs.retrieve(job.id)


def ask_server(client: openai.OpenAI, model: str) -> str:
    messages: Any = QUESTION
    answer = client.chat.completions.create(
        model=model, messages=messages, max_tokens=N_TOKENS, temperature=0
    )
    return answer.choices[0].message.content or ""


def download(client: openai.OpenAI, file_id: str, into: Path) -> Path:
    """Unpacked; the one folder in it."""
    archive = into / f"{file_id}.tar"
    client.files.content(file_id).write_to_file(archive)
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / client.files.retrieve(file_id).filename.removesuffix(".tar")


def test_downloaded_weights_answer_as_the_server_does(
    connect: Connect, inference: None, tiny_base: Path, tmp_path: Path
):
    plain = pytest.importorskip("tests.contract.plain_transformers")
    client = connect()
    job = train(client)
    answer = ask_server(client, job.fine_tuned_model)
    assert answer != ask_server(client, BASE)
    results = client.files.list(purpose="fine-tune-results").data
    files = {file.filename.rpartition("-")[2]: file.id for file in results}

    adapter = download(client, files["adapter.tar"], tmp_path)
    assert plain.ask_adapter(tiny_base, adapter, QUESTION, N_TOKENS) == answer

    with pytest.raises(openai.ConflictError) as refused:
        client.files.content(files["merged.tar"])
    assert refused.value.code == "weights_not_ready"
    work()
    merged = download(client, files["merged.tar"], tmp_path)
    assert plain.ask_merged(merged, QUESTION, N_TOKENS) == answer
    assert str(tiny_base) not in "".join(
        path.read_text() for path in merged.glob("*.json")
    )
