"""From the lines of a file to rows that can be stored, a batch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.derived import Derived, derive
from datasets_app.jsonl import (
    MAX_LINE_BYTES,
    BadLine,
    Line,
    Problem,
    parse_object,
)
from datasets_app.models import Example, ImportProblem, ImportRun
from datasets_app.token_counts import count_tokens

BATCH_ROWS = 1_000
BATCH_BYTES = 8 * 1024 * 1024  # long lines make shorter batches: memory stays flat
RAW_LENGTH = 2_000  # of a bad line, for its author to recognise it


@dataclass(slots=True)
class Batch:
    """Up to BATCH_ROWS lines: those that may be added, and what is wrong with the rest.

    `end` is the offset in the file after the last line, `n_lines` its number.
    """

    rows: list[tuple[Derived, dict[str, Any]]] = field(default_factory=list)
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
        record, derived, problems = read_row(line)
        if problems:
            self.n_invalid += 1
            self.problems += as_rows(run, line, problems)
        elif derived and record:
            self.rows.append((derived, record))

    @property
    def is_full(self) -> bool:
        return self.n_read >= BATCH_ROWS or self.n_bytes >= BATCH_BYTES


def read_row(
    line: Line,
) -> tuple[dict[str, Any] | None, Derived | None, list[Problem]]:
    if line.is_too_long:
        limit = MAX_LINE_BYTES // 1024**2
        return None, None, [Problem("too_long", params={"limit_mb": limit})]
    try:
        record = parse_object(line.data)
    except BadLine as exc:
        return None, None, [exc.problem]
    derived = derive(record)
    return record, derived, derived.problems


def as_rows(run: ImportRun, line: Line, problems: list[Problem]) -> list[ImportProblem]:
    raw = line.data[: 4 * RAW_LENGTH].decode(errors="backslashreplace")
    raw = raw.replace("\x00", "\\x00")[:RAW_LENGTH]
    return [
        ImportProblem(
            import_run=run,
            line_number=line.number,
            message_index=problem.message_index,
            code=problem.code,
            params=problem.params,
            raw=raw if number == 0 else "",
        )
        for number, problem in enumerate(problems)
    ]


def batches(run: ImportRun, lines: Iterator[Line]) -> Iterator[Batch]:
    batch = Batch()
    for line in lines:
        batch.take(run, line)
        if batch.is_full:
            yield batch
            batch = Batch()
    if batch.n_read:
        yield batch


def as_example(
    run: ImportRun, derived: Derived, record: dict[str, Any], n_tokens: int
) -> Example:
    return Example(
        dataset_id=run.dataset_id,
        messages=derived.messages,
        tools=derived.tools,
        functions=derived.functions,
        parallel_tool_calls=record.get("parallel_tool_calls"),
        split=run.split,
        text=derived.text,
        n_tokens=n_tokens,
        content_hash=derived.content_hash,
        import_run=run,
        created_by_id=run.created_by_id,
        updated_by_id=run.created_by_id,
    )


def count_row(record: dict[str, Any]) -> int:
    return count_tokens(
        record["messages"], record.get("tools"), record.get("functions")
    )
