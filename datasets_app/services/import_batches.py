"""From the lines of a file to rows that can be stored, a batch at a time."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from datasets_app.derived import Derived, derive_all
from datasets_app.formats import method_of, to_record
from datasets_app.jsonl import BadFile, BadLine, Line, Problem
from datasets_app.models import BaseModel, ImportProblem, ImportRun
from datasets_app.services.counting import counter_of
from datasets_app.services.import_tags import TagReader
from datasets_app.services.turns import quick_turns
from datasets_app.token_counts import Counter

BATCH_ROWS = 4_000
BATCH_BYTES = 8 * 1024 * 1024  # long lines make shorter batches: memory stays flat
RAW_LENGTH = 2_000  # of a bad line, for its author to recognise it
PIECE_ROWS = 500  # whose tokens are counted together; their parsed JSON is large
PIECE_BYTES = 1024 * 1024
KEPT_LENGTH = 100_000  # where the file has no place to read the line from again


@dataclass(slots=True)
class Row:
    """A row that may be added, and the line of the file that it stands on."""

    line_number: int
    derived: Derived
    tags: tuple[str, ...] = ()


class ReadLine(NamedTuple):
    line: Line
    record: dict[str, Any]
    tags: tuple[str, ...]


@dataclass(slots=True)
class Batch:
    """Up to BATCH_ROWS lines: those that may be added, and what is wrong with the rest.

    `end` is the offset in the file after the last line, `n_lines` its number. Of the
    last batch of all, `failure` says why the file cannot be read to its end.
    """

    run: ImportRun
    counter: Counter
    tags: TagReader
    rows: list[Row] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    n_read: int = 0
    n_invalid: int = 0
    n_bytes: int = 0
    n_lines: int = 0
    end: int = 0
    is_last: bool = False
    failure: BadFile | None = None

    def read(self, lines: Iterator[Line]) -> None:
        """Take lines until the batch is full, a piece at a time."""
        while not (self.is_full or self.is_last):
            self._derive(list(self._records(lines)))
        self.problems.sort(key=lambda problem: problem.line_number)

    def _records(self, lines: Iterator[Line]) -> Iterator[ReadLine]:
        """One piece; what is no record at all is left out."""
        n_rows, n_bytes = self.n_read + PIECE_ROWS, self.n_bytes + PIECE_BYTES
        while not self.is_full and self.n_read < n_rows and self.n_bytes < n_bytes:
            line = self._next(lines)
            if line is None:
                return
            try:
                record = to_record(line, self.run.format, self.run.mapping)
                yield ReadLine(line, record, self.tags.read(line))
            except BadLine as exc:
                self._leave_out(line, [exc.problem])

    def _next(self, lines: Iterator[Line]) -> Line | None:
        try:
            line = next(lines)
        except StopIteration:
            self.is_last = True
            return None
        except BadFile as exc:
            self.is_last, self.failure = True, exc
            return None
        self.n_read += 1
        self.n_bytes += len(line.data)
        self.n_lines, self.end = line.number, line.end
        return line

    def _derive(self, piece: list[ReadLine]) -> None:
        method = method_of(self.run.format, self.run.mapping)
        found = derive_all([each.record for each in piece], method, self.counter)
        for (line, _record, tags), derived in zip(piece, found, strict=True):
            if derived.problems:
                self._leave_out(line, list(derived.problems))
            else:
                self.rows.append(Row(line.number, derived, tags))

    def _leave_out(self, line: Line, problems: list[Problem]) -> None:
        self.n_invalid += 1
        self.problems += as_rows(self.run, line, problems)

    @property
    def is_full(self) -> bool:
        return self.n_read >= BATCH_ROWS or self.n_bytes >= BATCH_BYTES


def as_rows(run: ImportRun, line: Line, problems: list[Problem]) -> list[ImportProblem]:
    length = KEPT_LENGTH if line.start is None else RAW_LENGTH
    raw = line.data[: 4 * length].decode(errors="backslashreplace")
    raw = raw.replace("\x00", "\\x00")[:length]
    return [
        ImportProblem(
            import_run=run,
            line_number=line.number,
            message_index=problem.message_index,
            code=problem.code,
            params=problem.params,
            raw=raw if number == 0 else "",
            offset=line.start,
        )
        for number, problem in enumerate(problems)
    ]


def batches(run: ImportRun, lines: Iterator[Line]) -> Generator[Batch, None, None]:
    """Each is read in a thread while the one before it is being stored.

    Raises BadFile, after the batch of what could still be read.
    """
    tags = TagReader(run)
    with quick_turns(), ThreadPoolExecutor(max_workers=1) as reader:
        batch = _read(Batch(run, _counter_of(run), tags), lines)
        while not batch.is_last:
            # The database is asked here: the thread has no part in our transactions.
            following = Batch(run, _counter_of(run), tags)
            coming = reader.submit(_read, following, lines)
            yield batch
            batch = coming.result()
    if batch.n_read:
        yield batch
    if batch.failure:
        raise batch.failure


def _read(batch: Batch, lines: Iterator[Line]) -> Batch:
    batch.read(lines)
    return batch


def _counter_of(run: ImportRun) -> Counter:
    """Asked for every batch: the dataset's base model may change meanwhile."""
    model = BaseModel.objects.filter(dataset=run.dataset_id).first()
    return counter_of(model)
