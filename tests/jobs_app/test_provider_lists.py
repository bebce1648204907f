"""A provider's lists are read to their end; files in pieces as whole."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from jobs_app.providers import OutgoingFile, RemoteJob, listing
from jobs_app.providers.listing import listed, newest_first_until
from jobs_app.providers.wire import Unintelligible

A, B, C = {"id": "a"}, {"id": "b"}, {"id": "c"}
MOMENT = datetime(2026, 1, 10, tzinfo=UTC)
NEW, OLD, NO_DAY = 11, 9, 0


class Pages(BaseModel):
    data: list[Any]

    def iter_pages(self) -> Iterator[Any]:
        return (SimpleNamespace(data=page) for page in self.data)


def read(*pages: Any) -> list[Any]:
    return list(listed(Pages(data=list(pages))))


def test_what_is_no_list_makes_no_sense():
    with pytest.raises(Unintelligible):
        list(listed("<html>"))


def test_each_item_comes_once_and_those_without_an_id_as_they_are():
    assert read([A, A, B], [B, C]) == [A, B, C]
    assert read([{"x": 1}, {"x": 2}]) == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize("nothing_new", [[A], [], None])
def test_a_page_that_brings_nothing_new_is_the_last(nothing_new):
    assert read([A], nothing_new, [B]) == [A]


def until(*days: int) -> int:
    """How many jobs of these days are read."""
    jobs = [
        RemoteJob(str(n), None, created_at=MOMENT.replace(day=day) if day else None)
        for n, day in enumerate(days)
    ]
    return len(list(newest_first_until(MOMENT, jobs)))


@pytest.mark.parametrize(
    ("days", "n_read"),
    [
        ((NEW, OLD, OLD, OLD), 3),
        ((NEW, OLD, NO_DAY, OLD, OLD), 4),
        ((OLD, NEW, OLD, OLD, OLD), 5),
        ((NO_DAY, NEW), 2),
        ((NEW, OLD), 2),
    ],
)
def test_jobs_are_read_back_to_a_moment_if_they_are_in_order(monkeypatch, days, n_read):
    monkeypatch.setattr(listing, "ENOUGH_OLD_JOBS", 2)
    assert until(*days) == n_read


@pytest.fixture
def file(tmp_path: Path) -> OutgoingFile:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"0123456789")
    return OutgoingFile(path, "a.jsonl", part_bytes=5, prefix=b"BOM")


def test_parts_are_the_whole_in_pieces(file):
    parts = [file.open_part(n).read() for n in range(file.n_parts)]
    assert parts == [b"BOM01", b"23456", b"789"]
    assert OutgoingFile(file.path, "a", part_bytes=99).n_parts == 1


def test_an_empty_file_is_sent_in_one_part(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert OutgoingFile(tmp_path / "empty", "empty").n_parts == 1


def test_a_checksum_is_that_of_all_that_is_sent(file):
    sent = b"BOM0123456789"
    assert file.md5() == hashlib.md5(sent, usedforsecurity=False).hexdigest()


def test_a_file_is_read_byte_by_byte_as_in_one_go(file):
    with file.open() as whole:
        assert b"".join(iter(lambda: whole.read(1), b"")) == b"BOM0123456789"


def test_one_may_look_before_and_behind_a_file(file):
    with file.open() as whole:
        assert (whole.seek(-5), whole.read(3)) == (0, b"BOM")
        assert (whole.seek(99), whole.read(3)) == (99, b"")


def test_a_part_ends_where_it_ends(file):
    with file.open_part(0) as first, file.open_part(2) as last:
        assert (first.seek(7), first.read(1)) == (7, b"")
        assert last.seek(0, os.SEEK_END) == len(b"789")


def test_a_file_that_was_sent_is_closed(file):
    with file.open() as whole:
        pass
    assert whole.closed
    assert whole._file.closed
