import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from datasets_app.command_teams import add_team_argument, find_dataset, find_team
from datasets_app.export_texts import REASONS
from datasets_app.exports import FORMATS, Format, Row, Tally, write
from datasets_app.models import Dataset, DatasetVersion, Split
from datasets_app.services import exports
from datasets_app.services.selection import Selection
from teams_app import audit
from teams_app.models import Verb
from teams_app.team_command import TeamCommand


class Command(TeamCommand):
    help = "Write the rows of a dataset, or of one of its versions, to a file."

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        # Django's own --version, which tells Django's, gives way to ours.
        return super().create_parser(*args, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="the dataset's name")
        parser.add_argument(
            "--format",
            choices=FORMATS,
            help="(default: openai, or dpo of a dataset of preferences)",
        )
        parser.add_argument(
            "--version",
            dest="version_number",
            type=int,
            metavar="N",
            help="the rows as they were frozen in version N (default: as they are now)",
        )
        parser.add_argument(
            "--split", choices=Split.values, help="only this part (default: both)"
        )
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="(default: standard output)"
        )
        add_team_argument(parser)

    def handle(
        self,
        *args: Any,
        dataset: str,
        format: str | None,
        version_number: int | None,
        split: str | None,
        output: Path | None,
        team: str,
        **options: Any,
    ) -> None:
        found = find_dataset(find_team(team), dataset)
        chosen = find_format(found, format)
        if version_number is None:
            selection = Selection(split=split or "")
            rows = exports.selected_rows(
                found, selection, with_extra=chosen.takes_extra
            )
        else:
            rows = frozen_rows(find_version(found, version_number), split)
        what = {"format": chosen.key, "version": version_number}
        audit.record(Verb.EXPORTED, found, by=None, **what)
        tally = Tally()
        with opened(output) as file:
            for piece in write(chosen, with_progress(rows, found), tally):
                file.write(piece)
        self.report(tally)

    def report(self, tally: Tally) -> None:
        """On standard error: standard output may be the file."""
        self.stderr.write(f"{tally.n_written} rows written")
        for reason, n in tally.left_out.most_common():
            self.stderr.write(f"  {n} left out: they {REASONS[reason]}")


def find_format(dataset: Dataset, key: str | None) -> Format:
    offered = exports.formats_for(dataset)
    for format in offered:
        if key in (None, format.key):
            return format
    keys = ", ".join(format.key for format in offered)
    raise CommandError(
        f"The rows of “{dataset}” do not go into “{key}”. They go into: {keys}."
    )


def find_version(dataset: Dataset, number: int) -> DatasetVersion:
    version = dataset.versions.select_related("dataset").filter(number=number).first()
    if version is None:
        last = dataset.versions.first()
        known = f"The newest one is {last.number}." if last else "It has none yet."
        raise CommandError(f"“{dataset}” has no version {number}. {known}")
    return version


def frozen_rows(version: DatasetVersion, split: str | None) -> Iterator[Row]:
    for each in [split] if split else Split.values:
        if version.file_of(each):
            yield from exports.frozen_rows(version, each)


def with_progress(rows: Iterator[Row], dataset: Dataset) -> Iterator[Row]:
    yield from tqdm(rows, unit=" rows", desc=str(dataset), mininterval=0.5)


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        file = path.open("wb")
    except OSError as exc:
        raise CommandError(f"Cannot write {path}: {exc.strerror}.") from exc
    with file:
        yield file
