"""From the lines of a file to rows that can be stored, a batch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from datasets_app.derived import Derived, derive
from datasets_app.formats import method_of, to_record
from datasets_app.jsonl import BadFile, BadLine, Line, Problem
from datasets_app.models import BaseModel, ImportProblem, ImportRun
from datasets_app.services.counting import counter_of
from datasets_app.services.import_tags import TagReader
from datasets_app.token_counts import Counter

BATCH_ROWS = 4_000
BATCH_BYTES = 8 * 1024 * 1024  # long lines make shorter batches: memory stays flat
RAW_LENGTH = 2_000  # of a bad line, for its author to recognise it
KEPT_LENGTH = 100_000  # where the file has no place to read the line from again


@dataclass(frozen=True, slots=True)
class Row:
    """A row that may be added, and the line of the file that it stands on."""

    line_number: int
    derived: Derived
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Batch:
    """Up to BATCH_ROWS lines: those that may be added, and what is wrong with the rest.

    `end` is the offset in the file after the last line, `n_lines` its number.
    """

    counter: Counter
    tags: TagReader
    rows: list[Row] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    n_read: int = 0
    n_invalid: int = 0
    n_bytes: int = 0
    n_lines: int = 0
    end: int = 0

    def take(self, run: ImportRun, line: Line) -> None:
        self.n_read += 1
        self.n_bytes += len(line.data)
        self.n_lines, self.end = line.number, line.end
        try:
            derived = read_row(run, line, self.counter)
            tags = self.tags.read(line)
        except BadLine as exc:
            self._leave_out(run, line, [exc.problem])
            return
        if derived.problems:
            self._leave_out(run, line, list(derived.problems))
        else:
            self.rows.append(Row(line.number, derived, tags))

    def _leave_out(self, run: ImportRun, line: Line, problems: list[Problem]) -> None:
        self.n_invalid += 1
        self.problems += as_rows(run, line, problems)

    @property
    def is_full(self) -> bool:
        return self.n_read >= BATCH_ROWS or self.n_bytes >= BATCH_BYTES


def read_row(run: ImportRun, line: Line, counter: Counter) -> Derived:
    """Raises BadLine."""
    record = to_record(line, run.format, run.mapping)
    return derive(record, method_of(run.format, run.mapping), counter)


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


def batches(run: ImportRun, lines: Iterator[Line]) -> Iterator[Batch]:
    """Raises BadFile, after the batch of what could still be read."""
    tags = TagReader(run)
    batch = Batch(_counter_of(run), tags)
    try:
        for line in lines:
            batch.take(run, line)
            if batch.is_full:
                yield batch
                batch = Batch(_counter_of(run), tags)
    except BadFile:
        if batch.n_read:
            yield batch
        raise
    if batch.n_read:
        yield batch


def _counter_of(run: ImportRun) -> Counter:
    """Asked for every batch: the dataset's base model may change meanwhile."""
    model = BaseModel.objects.filter(dataset=run.dataset_id).first()
    return counter_of(model)
