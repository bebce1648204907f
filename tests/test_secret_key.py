from pathlib import Path

from finetune_site.secret_key import read_or_create


def test_a_missing_key_is_made_and_kept(tmp_path: Path):
    path = tmp_path / "var" / "secret-key"

    assert read_or_create(path) == read_or_create(path)
    assert len(path.read_text()) >= 50


def test_two_installations_have_different_keys(tmp_path: Path):
    assert read_or_create(tmp_path / "a") != read_or_create(tmp_path / "b")


def test_only_its_owner_can_read_it(tmp_path: Path):
    read_or_create(tmp_path / "secret-key")

    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_nothing_is_left_beside_it(tmp_path: Path):
    read_or_create(tmp_path / "secret-key")

    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
