import pytest

from datasets_app.unnamed_files import give_name, unnamed_file


def test_a_file_gets_its_name_when_it_is_written(tmp_path):
    with unnamed_file(tmp_path) as file:
        file.write(b"all of it")
        file.flush()
        assert list(tmp_path.iterdir()) == []
        try:
            give_name(file, tmp_path / "a" / "named")
        except OSError:
            pytest.skip("This disk cannot name such files; they are copied.")

    assert (tmp_path / "a" / "named").read_bytes() == b"all of it"


def test_no_other_file_is_replaced(tmp_path):
    (tmp_path / "taken").write_bytes(b"before")

    with unnamed_file(tmp_path) as file, pytest.raises(OSError, match="exists|No such"):
        give_name(file, tmp_path / "taken")

    assert (tmp_path / "taken").read_bytes() == b"before"
