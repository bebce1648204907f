"""A disk without room: a clear failure, and what was saved before is whole."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tuning_server_app.tiny_model import PEFT_WARNING
from tests.tuning_server_app.training.runs import of_kind, train
from tuning_server_app.run_files import STATES
from tuning_server_app.training.durable import whole_folder
from tuning_server_app.training.failures import RunFailed

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


@pytest.fixture
def files_of_at_most() -> Iterator[Callable[[int], None]]:
    """Writing more bytes into a file fails, for every library alike."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(n_bytes: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_weights_that_cannot_be_saved_fail_the_run(make_run, files_of_at_most):
    folder = make_run()
    files_of_at_most(20_000)
    events = train(folder)

    assert (events[-1]["type"], events[-1]["code"]) == ("failed", "disk_problem")
    assert "could not be saved" in events[-1]["message"]
    assert "make room" in events[-1]["message"]
    assert not of_kind(events, "checkpoint")
    assert not list((folder / "checkpoints").iterdir())


def test_the_state_before_stays_and_is_gone_on_from(make_run, files_of_at_most):
    folder = make_run()
    train(folder, pause_at=4)
    files_of_at_most(200_000)  # an adapter fits, the optimizer's state does not
    failed = train(folder, pause_at=5)
    assert failed[-1]["code"] == "disk_problem"
    assert [path.name for path in (folder / STATES).iterdir()] == ["step-4"]

    files_of_at_most(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    assert train(folder)[-1]["type"] == "finished"


def test_a_folder_has_its_name_only_when_it_is_whole(tmp_path: Path):
    folder = tmp_path / "step-1"
    with whole_folder(folder) as unfinished:
        (unfinished / "weights").write_text("all")
        assert not folder.exists()
    assert (folder / "weights").read_text() == "all"


def fill_half(folder: Path) -> None:
    with whole_folder(folder) as unfinished:
        (unfinished / "weights").write_text("half")
        raise OSError(28, "No space left on device")


def test_of_a_folder_that_fails_nothing_is_left(tmp_path: Path):
    with pytest.raises(RunFailed, match="No space left"):
        fill_half(tmp_path / "run" / "step-1")
    assert not list((tmp_path / "run").iterdir())
