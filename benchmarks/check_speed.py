"""How fast a dataset is checked, and checked again after one edit.

    python -m benchmarks.check_speed [--rows 100000] [--cpu]

Rows are chats of about 1.9 KB, Korean and English; one in fifty is a copy of another
with a few words changed, one in a hundred an exact copy under another system prompt.
Works in a database of its own under a temporary folder, or in DATABASE_URL.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

WORDS = (
    "an area attack hits every unit on the battlefield and removes those whose hit "
    "points reach zero while a single attack hits one 네더 블레이드 광역 공격은 전장의 "
    "모든 유닛에게 피해를 주고 단일 공격은 하나만 맞힌다"
)


def write_rows(path: Path, n_rows: int) -> None:
    import orjson

    chance, words = random.Random(7), WORDS.split()
    said: list[list[str]] = []
    with path.open("wb") as file:
        for row in range(n_rows):
            if row % 50 == 49:
                texts = [list(text) for text in said]
                for _word in range(5):
                    texts[2][chance.randrange(190)] = chance.choice(words)
            else:
                texts = [chance.choices(words, k=n) for n in (12, 60, 190)]
            said = texts
            roles = ("system", "user", "assistant")
            turns = [
                {"role": role, "content": " ".join(text)}
                for role, text in zip(roles, texts, strict=True)
            ]
            file.write(orjson.dumps({"messages": turns}) + b"\n")


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds; with --cpu, those that the processor worked for us."""
    clock = time.process_time if "--cpu" in sys.argv else time.perf_counter
    start = clock()
    work()
    return clock() - start


def load() -> str:
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--cpu", action="store_true")
    n_rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("FINETUNE_SITE_VAR", folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = "finetune_site.settings"
        measure(n_rows, Path(folder))


def measure(n_rows: int, folder: Path) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    dataset = import_rows(n_rows, folder)
    print(f"{n_rows} rows; load {load()}")
    run_parts(dataset, n_rows)
    edit_and_check(dataset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak} MB; load {load()}")


def import_rows(n_rows: int, folder: Path):
    from datasets_app import services
    from datasets_app.models import Split
    from teams_app.access import default_team

    path = folder / "rows.jsonl"
    write_rows(path, n_rows)
    dataset = services.create_dataset(team=default_team(), name="benchmark", by=None)
    with path.open("rb") as file:
        run = services.start_import(
            dataset=dataset, file=file, file_name=path.name, split=Split.TRAIN
        )
    services.run_import(run)
    return dataset


def run_parts(dataset, n_rows: int) -> None:
    from datasets_app.models import Finding
    from datasets_app.services.checks.features import refresh_features
    from datasets_app.services.checks.keeping import replace_set_findings
    from datasets_app.services.checks.near import refresh_groups
    from datasets_app.services.checks.sets import set_findings

    parts = {
        "read rows": lambda: refresh_features(dataset),
        "near duplicates": lambda: refresh_groups(dataset, on_part=lambda: None),
        "compare the set": lambda: replace_set_findings(dataset, set_findings(dataset)),
    }
    total = 0.0
    for name, part in parts.items():
        took = seconds(part)
        total += took
        print(f"{name:20} {took:8.2f} s  {n_rows / took:10.0f} rows/s")
    print(f"{'whole check':20} {total:8.2f} s  {n_rows / total:10.0f} rows/s")
    n_near = Finding.objects.filter(dataset=dataset, code="near_duplicate").count()
    print(f"near duplicates found: {n_near} of {n_rows // 50}")


def edit_and_check(dataset) -> None:
    from datasets_app.models import Example
    from datasets_app.services import checks, save_example

    checks.run_check(checks.request_check(dataset))
    for text in ("Another answer.", "Yet another answer."):
        example = Example.objects.filter(dataset=dataset).order_by("-pk")[7]
        example.messages[-1]["content"] = text
        save_example(example, by=None)
        run = checks.request_check(dataset)
        took = seconds(partial(checks.run_check, run))
        run.refresh_from_db()
        print(f"again after one edit {took:8.2f} s  ({run.n_read} rows read)")


if __name__ == "__main__":
    main()
