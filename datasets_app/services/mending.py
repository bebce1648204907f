"""Lines that an import left out, mended by a person and added after all."""

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from django.db import transaction
from django.db.models import F

from datasets_app import exact_json
from datasets_app.chat_format import RECORD_KEYS
from datasets_app.derived import derive
from datasets_app.formats import method_of, to_record
from datasets_app.jsonl import BadLine, Line, Problem, parse_json
from datasets_app.models import (
    Dataset,
    Example,
    ImportProblem,
    ImportRun,
    OnDuplicate,
)
from datasets_app.services.datasets import settle_method
from datasets_app.services.examples import save_example
from datasets_app.services.import_batches import KEPT_LENGTH, RAW_LENGTH
from datasets_app.services.import_tags import TagReader, link_tags
from datasets_app.services.rejected_lines import has_whole_line, whole_line

MAX_BYTES = 2 * 1024 * 1024  # a longer line is mended in an editor, not in a browser
MAX_PROBLEMS = 50  # a line has fewer


@dataclass(frozen=True, slots=True)
class Mended:
    """`example` is the row that is in the dataset now, if the line was good.

    `was_there`: the dataset had such a row already, so that none was added.
    """

    example: Example | None = None
    was_there: bool = False
    problems: list[Problem] = field(default_factory=list)


def problems_of_line(problem: ImportProblem) -> list[ImportProblem]:
    """All that was wrong with a line, of which this is the first."""
    behind = ImportProblem.objects.filter(
        import_run=problem.import_run_id, pk__gte=problem.pk
    )
    same = takewhile(
        lambda each: each.line_number == problem.line_number,
        behind.order_by("pk")[:MAX_PROBLEMS],
    )
    return list(same)


def next_line(problem: ImportProblem) -> ImportProblem | None:
    """The first problem of the next line that is not mended yet."""
    behind = ImportProblem.objects.filter(
        import_run=problem.import_run_id,
        pk__gt=problem.pk,
        line_number__gt=problem.line_number,
        mended=None,
    )
    return behind.order_by("pk").first()


def text_to_mend(problem: ImportProblem) -> str | None:
    """The line as a person edits it; None if it is too long for a browser.

    JSON is laid out over several lines; bytes that are no text are shown as such.
    """
    data = whole_line(problem, limit=MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return None
    try:
        return exact_json.pretty(parse_json(data))
    except BadLine:
        return data.decode(errors="replace").replace("\x00", "\ufffd").strip()


def is_incomplete(problem: ImportProblem) -> bool:
    """Is only the line's beginning left?"""
    kept = KEPT_LENGTH if problem.offset is None else RAW_LENGTH
    return len(problem.raw) >= kept and not has_whole_line(problem)


def as_problems(line: ImportProblem, found: list[Problem]) -> list[ImportProblem]:
    """What is wrong with a line now, to be shown like what was reported of it."""
    return [
        ImportProblem(
            line_number=line.line_number,
            message_index=each.message_index,
            code=each.code,
            params=each.params,
        )
        for each in found
    ]


def check_line(run: ImportRun, text: str) -> list[Problem]:
    """What is wrong with the text of a line, read as the import reads the file."""
    try:
        record = _record(run, text)
        _tags(run, text)
    except BadLine as exc:
        return [exc.problem]
    return list(derive(record, method_of(run.format, run.mapping)).problems)


def mend_line(problem: ImportProblem, text: str, *, by: Any) -> Mended:
    """Add the text as a row if it is good now; a line is added only once.

    Raises OtherMethod.
    """
    run = problem.import_run
    if problems := check_line(run, text):
        return Mended(problems=problems)
    with transaction.atomic():
        # As imports do: two people at once would add the same row twice.
        dataset = Dataset.objects.select_for_update().get(pk=run.dataset_id)
        locked = ImportProblem.objects.select_related("mended").get(pk=problem.pk)
        if locked.mended is not None:
            return Mended(locked.mended, was_there=True)
        settle_method(dataset, method_of(run.format, run.mapping))
        added = _add(run, dataset, problem, _record(run, text), by)
        if added.example and not added.was_there:
            link_tags(dataset, {added.example.pk: _tags(run, text)})
        return added


def _add(
    run: ImportRun,
    dataset: Dataset,
    problem: ImportProblem,
    record: dict[str, Any],
    by: Any,
) -> Mended:
    example = _known(run, dataset, record)
    was_there = example is not None
    if example is None:
        values = {key: record[key] for key in RECORD_KEYS if key in record}
        example = Example(dataset=dataset, import_run=run, split=run.split, **values)
        save_example(example, by=by)
    pks = [each.pk for each in problems_of_line(problem)]
    ImportProblem.objects.filter(pk__in=pks).update(mended=example)
    ImportRun.objects.filter(pk=run.pk).update(n_mended=F("n_mended") + 1)
    return Mended(example, was_there=was_there)


def _known(run: ImportRun, dataset: Dataset, record: dict[str, Any]) -> Example | None:
    if run.on_duplicate == OnDuplicate.ADD:
        return None
    content_hash = derive(record, dataset.method).content_hash
    return dataset.examples.filter(content_hash=content_hash).first()


def _record(run: ImportRun, text: str) -> dict[str, Any]:
    """Raises BadLine."""
    return to_record(_line(text), run.format, run.mapping)


def _tags(run: ImportRun, text: str) -> tuple[str, ...]:
    """Raises BadLine."""
    return TagReader(run).read(_line(text))


def _line(text: str) -> Line:
    data = text.strip().encode(errors="replace")
    return Line(number=1, end=len(data), data=data)
