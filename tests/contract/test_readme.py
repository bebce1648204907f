"""The README's client, run as it stands there against the whole server."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings

from tests.contract.conftest import BASE, work
from tests.tuning_server_app.factories import chats

pytestmark = pytest.mark.torch

README = Path(site_settings.BASE_DIR) / "README.md"
ADDRESS, KEY, MODEL = "http://127.0.0.1:8000", "the key", "SmolLM2-135M-Instruct"


@pytest.fixture
def code(live_server: Any, secret: str) -> str:
    """The example, with this server's address and key in the place of the reader's."""
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert example.count(ADDRESS) == example.count(KEY) == example.count(MODEL) == 1
    return str(example.replace(ADDRESS, live_server.url).replace(KEY, secret))


@pytest.fixture
def _at_the_readers(
    tiny_base: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A folder with the file; a small model under the large one's name; and workers
    that do their work whenever the example waits."""
    settings.TUNING_SERVER_BASE_MODELS = {BASE: str(tiny_base)}
    settings.TUNING_SERVER_MODEL_ALIASES = {MODEL: BASE}
    monkeypatch.chdir(tmp_path)
    Path("chats.jsonl").write_bytes(chats(10))
    sleep = time.sleep

    def wait(_seconds: float) -> None:
        with monkeypatch.context() as within:
            within.setattr(time, "sleep", sleep)
            work()

    with monkeypatch.context() as within:
        within.setattr(time, "sleep", wait)
        yield


@pytest.mark.usefixtures("_at_the_readers")
def test_the_readmes_client_trains_and_asks(
    code: str, inference: None, capsys: pytest.CaptureFixture[str]
):
    names: dict[str, Any] = {}
    exec(compile(code, README, "exec"), names)  # noqa: S102  (our own README)
    names["client"].close()
    assert names["job"].status == "succeeded"
    assert names["answer"].model == names["job"].fine_tuned_model
    assert capsys.readouterr().out.strip()
