"""Weights as one file."""

from tuning_server_app.archives import Archive
from tuning_server_app.file_store import Draft


def test_an_archive_that_failed_is_written_no_further():
    draft = Draft()
    archive = Archive(draft, "folder")
    archive.add_bytes("name", b"content")
    archive.__exit__(ZeroDivisionError)
    assert draft.n_bytes == 0
    draft.discard()
