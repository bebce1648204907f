"""How fast an import is, beside the floor of what it must do in any case; and its undo.

    python -m benchmarks.import_speed [--rows 10000] [--postgresql] [--cpu]

The floor is measured in the same run on the same rows: parse (orjson), count tokens
(quicktok, two threads) and insert (one transaction of the columns that the line is made
of and three indexes, with the driver alone: executemany, or COPY into PostgreSQL).
`load` is how many processes wanted the machine's processors meanwhile. Works in a
database of its own under a temporary folder.
"""

import argparse
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SENTENCES = (
    "an area attack hits every unit on the battlefield and removes those whose hit "
    "points reach zero while a single attack hits one 네더 블레이드 광역 공격은 전장의 "
    "모든 유닛에게 피해를 주고 단일 공격은 하나만 맞힌다"
)


def write_rows(path: Path, n_rows: int) -> None:
    """Chats of about 1.9 KB, all different."""
    import orjson

    chance, words = random.Random(7), SENTENCES.split()
    with path.open("wb") as file:
        for _row in range(n_rows):
            said = [" ".join(chance.choices(words, k=n)) for n in (12, 60, 190)]
            roles = ("system", "user", "assistant")
            turns = [
                {"role": role, "content": text}
                for role, text in zip(roles, said, strict=True)
            ]
            file.write(orjson.dumps({"messages": turns}) + b"\n")


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds; with --cpu, those that the processor worked for us."""
    clock = time.process_time if "--cpu" in sys.argv else time.perf_counter
    start = clock()
    work()
    return clock() - start


def measure_floor(path: Path, folder: Path) -> dict[str, float]:
    import orjson
    import quicktok

    lines = path.read_bytes().splitlines()
    rows: list[dict] = []
    parse = seconds(lambda: rows.extend(orjson.loads(line) for line in lines))
    texts = [m["content"] for row in rows for m in row["messages"]]
    encoder = quicktok.get_encoding("o200k_base")
    encoder.count("warm")
    tokenise = seconds(lambda: quicktok.count_batch(encoder, texts, threads=2))
    columns = [
        (orjson.dumps(row["messages"]).decode(), "\n".join(texts[3 * n : 3 * n + 3]))
        for n, row in enumerate(rows)
    ]
    return {
        "parse": parse,
        "tokenise": tokenise,
        "insert": seconds(lambda: insert_plainly(folder, columns)),
    }


TABLE = (
    "CREATE TABLE floor (id INTEGER PRIMARY KEY, dataset INTEGER,"
    " position INTEGER, messages TEXT, text TEXT, state TEXT, split TEXT,"
    " n_tokens INTEGER, content_hash TEXT, problems TEXT, is_valid INTEGER,"
    " created_at TEXT);"
    "CREATE INDEX a ON floor (dataset, position, id);"
    "CREATE INDEX b ON floor (dataset, content_hash);"
    "CREATE INDEX c ON floor (dataset, state, is_valid);"
)
Row = tuple[int, int, int, str, str, str, str, int, str, str, int, str]


def insert_plainly(folder: Path, columns: list[tuple[str, str]]) -> None:
    """The columns of an example, with the driver alone."""
    rows: Iterator[Row] = (
        (n, 1, n, messages, text, "draft", "train", 500, f"{hash(text):064x}")
        + ("[]", 1, "2026-01-01")
        for n, (messages, text) in enumerate(columns)
    )
    if url := os.environ["DATABASE_URL"]:
        insert_into_postgresql(url, rows)
    else:
        insert_into_sqlite(folder / "floor.sqlite3", rows)


def insert_into_sqlite(database: Path, rows: Iterator[Row]) -> None:
    connection = sqlite3.connect(database)
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    connection.executescript(pragmas + TABLE)
    with connection:
        marks = ", ".join("?" * 12)
        connection.executemany(f"INSERT INTO floor VALUES ({marks})", rows)  # noqa: S608
    connection.close()


def insert_into_postgresql(url: str, rows: Iterator[Row]) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        for statement in TABLE.split(";")[:-1]:
            connection.execute(statement)
        with connection.cursor().copy("COPY floor FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.execute("COMMIT")
        connection.execute("DROP TABLE floor")


def measure_import(path: Path) -> tuple[float, float]:
    """Seconds of an import, and of its undo."""
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "finetune_site.settings"
    django.setup()
    call_command("migrate", verbosity=0)

    from datasets_app import services
    from datasets_app.models import ImportRun, Split
    from datasets_app.services import bulk_edits
    from datasets_app.services.import_undo import undo_import
    from datasets_app.token_counts import openai_counter
    from teams_app.access import default_team

    openai_counter().count({"messages": []})
    dataset = services.create_dataset(team=default_team(), name="benchmark", by=None)

    def import_file() -> None:
        with path.open("rb") as file:
            run = services.start_import(
                dataset=dataset, file=file, file_name=path.name, split=Split.TRAIN
            )
        services.run_import(run)
        assert run.n_added == run.n_read

    def undo() -> None:
        edit = undo_import(ImportRun.objects.latest("pk"), by=None)
        bulk_edits.run_edit(edit)
        assert not dataset.examples.exists()

    return seconds(import_file), seconds(undo)


def in_process(what: str, path: Path, folder: Path) -> tuple[list[float], int]:
    """Each side in a fresh process, so that the peak memory is its own."""
    command = [sys.executable, "-m", __spec__.name, "--measure", what]
    command += [flag for flag in sys.argv if flag == "--cpu"]
    answer = subprocess.run(
        [*command, "--file", str(path), "--folder", str(folder)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "FINETUNE_SITE_VAR": str(folder)},
    )
    *figures, peak = answer.stdout.split()
    return [float(figure) for figure in figures], int(peak)


def measure(what: str, path: Path, folder: Path) -> None:
    if what == "floor":
        figures = list(measure_floor(path, folder).values())
    else:
        figures = list(measure_import(path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(*figures, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="count processor seconds: comparable where the machine is busy",
    )
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--measure", choices=("floor", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.file, options.folder)
        return
    print(f"{options.rows:,} rows; seconds; the floor is parse + tokenise + insert")
    print(
        "parse  tokenise  insert   floor    ours   ours/floor   peak MB    undo    load"
    )
    with tempfile.TemporaryDirectory(prefix="import-speed-") as root:
        path = Path(root, "rows.jsonl")
        write_rows(path, options.rows)
        for number in range(options.repeat):
            with database(postgresql=options.postgresql):
                compare(path, Path(root, str(number)))


@contextmanager
def database(*, postgresql: bool) -> Iterator[None]:
    """DATABASE_URL names a fresh server; empty means SQLite."""
    if not postgresql:
        os.environ["DATABASE_URL"] = ""
        yield
        return
    from tests.postgresql import server

    with server() as url:
        os.environ["DATABASE_URL"] = url
        yield


def compare(path: Path, folder: Path) -> None:
    folder.mkdir()
    (parse, tokenise, insert), _peak = in_process("floor", path, folder)
    (ours, undo), peak = in_process("ours", path, folder)
    floor = parse + tokenise + insert
    load = os.getloadavg()[0]
    print(
        f"{parse:5.2f}  {tokenise:8.2f}  {insert:6.2f}  {floor:6.2f}  {ours:6.2f}"
        f"  {ours / floor:11.2f}  {peak:8d}  {undo:6.2f}  {load:6.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
