"""What `./run` knows before anything is installed."""

from pathlib import Path

import pytest

import installation


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return tmp_path / ".env"


@pytest.mark.parametrize(
    "line",
    ["REDIS_URL=redis://x", "export REDIS_URL=redis://x", "REDIS_URL='redis://x'"],
)
def test_a_setting_of_the_file_is_read_as_the_site_reads_it(dotenv: Path, line: str):
    dotenv.write_text(f"# REDIS_URL=none\nOTHER=1\n{line}\n")
    assert installation.setting("REDIS_URL") == "redis://x"


def test_the_environment_goes_before_the_file(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
):
    dotenv.write_text("REDIS_URL=redis://file\n")
    monkeypatch.setenv("REDIS_URL", "redis://here")
    assert installation.setting("REDIS_URL") == "redis://here"


def test_what_stands_nowhere_is_empty(dotenv: Path):
    assert installation.setting("REDIS_URL") == ""
