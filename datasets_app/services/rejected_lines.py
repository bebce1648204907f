"""The lines that an import left out, read once more from the stored file."""

from collections.abc import Iterator
from typing import BinaryIO

from datasets_app.models import ImportProblem, ImportRun

PIECE_BYTES = 1024 * 1024


def rejected_lines(run: ImportRun) -> Iterator[bytes]:
    """All of them, byte for byte as they stand in the file, in pieces.

    What was recorded of a line is given where the file is gone, or holds no lines.
    """
    file = _open(run)
    try:
        last = None
        for problem in run.problems.iterator():
            if problem.line_number != last:
                last = problem.line_number
                yield from _pieces(file, problem)
    finally:
        if file is not None:
            file.close()


def has_whole_line(problem: ImportProblem) -> bool:
    """Can the line be read from the file?"""
    file = problem.import_run.file
    return problem.offset is not None and file.storage.exists(str(file.name))


def whole_line(problem: ImportProblem, *, limit: int) -> bytes:
    """The line of a problem, or its first `limit` bytes."""
    line = b""
    file = _open(problem.import_run)
    if file is None:
        return problem.raw.encode()
    with file:
        for piece in _pieces(file, problem):
            line += piece
            if len(line) >= limit:
                break
    return line[:limit].rstrip(b"\r\n")


def _open(run: ImportRun) -> BinaryIO | None:
    try:
        return run.file.open("rb")  # type: ignore[return-value]
    except FileNotFoundError:
        return None


def _pieces(file: BinaryIO | None, problem: ImportProblem) -> Iterator[bytes]:
    if file is None or problem.offset is None:
        yield problem.raw.encode() + b"\n"
        return
    file.seek(problem.offset)
    while piece := file.readline(PIECE_BYTES):
        if piece.endswith(b"\n"):
            yield piece
            return
        yield piece
    yield b"\n"  # the last line of a file may have no end
