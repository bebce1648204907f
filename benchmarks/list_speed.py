"""Server time of the example list at 10,000 to 1,000,000 rows.

    python -m benchmarks.list_speed [--rows 100000] [--postgresql]

Chats of about 1.9 KB, half English, half Korean, in a scratch database under a
temporary folder (5 to 8 GB for a million). Each page is asked for through
Django's test client, some rounds long.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

ALLOWED_MS = 100
ROUNDS = 7
AT_ONCE = 2_000
ENGLISH = (
    "the refund policy of our shop says that an order may be sent back within days "
    "and the customer account shows each payment invoice delivery address "
    "subscription upgrade support ticket number warranty repair technician visit "
    "schedule morning evening message phone answer question product model version "
    "update install license error screen restart network signal price discount "
    "coupon checkout stock warehouse pickup driver tracking status pending shipped "
    "arrived missing insurance amount fee"
)
KOREAN = (
    "환불 정책은 주문 배송이 지연되면 고객 계정을 확인하고 비밀번호를 재설정한 다음 "
    "청구서를 보내 드립니다 결제 수단 변경과 주소 수정은 설정에서 가능하며 구독 "
    "취소는 언제든지 할 수 있습니다 업그레이드 체험판 지원팀에 문의해 주세요 영업일 "
    "기준으로 사흘 이내에 처리되며 주말과 공휴일은 제외됩니다 반품 라벨 교환 사이즈 "
    "색상 파손 보증 수리 기사 방문 예약 오전"
)
PAGES = {
    "first page": {},
    "deep page (the middle)": {"at": "middle"},
    "last page": {"before": "9" * 18 + "-" + "9" * 18},
    "newest first": {"sort": "-position"},
    "most tokens": {"sort": "-tokens"},
    "most findings": {"sort": "-findings"},
    "fewest findings, deep": {"sort": "findings", "after": "findings"},
    "changed last": {"sort": "-changed"},
    "state, 5 %": {"state": "rejected"},
    "state, 5 %, most tokens": {"state": "rejected", "sort": "-tokens"},
    "state, 0.01 %": {"state": "in_review"},
    "split, 10 %": {"split": "validation"},
    "tag, 1 %": {"tag": "hard"},
    "tag, 0.01 %": {"tag": "odd"},
    "any finding, 5 %": {"finding": "any"},
    "one finding, 2.5 %": {"finding": "secret"},
    "any problem, 0.5 %": {"problem": "any"},
    "one import": {"import_run": "import"},
    "tokens, 1 %": {"min_tokens": "990"},
    "pinned, 0.02 %": {"pinned": "yes"},
    "common word": {"q": "refund"},
    "common word, most tokens": {"q": "refund", "sort": "-tokens"},
    "long common word": {"q": "subscription"},
    "two common words": {"q": "customer account"},
    "two that never meet": {"q": "refund 환불"},
    "Korean, 2 syllables": {"q": "환불"},
    "Korean, 1 syllable": {"q": "환"},
    "word in 1 %": {"q": "갑돌이"},
    "word in 1 %, most tokens": {"q": "middling", "sort": "-tokens"},
    "word in 0.1 %": {"q": "zyxquark"},
    "rare, Korean, 2 syllables": {"q": "뷁쉛"},
    "two words, state": {"q": "정책 갑돌", "state": "draft"},
    "phrase": {"q": '"middling order"'},
    "2 letters, common": {"q": "or"},
    "2 letters, nowhere": {"q": "qx"},
    "no hit": {"q": "nowhere"},
    "no hit, both languages": {"q": "refund 없는낱말"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--folder", help="keep SQLite's database here")
    parser.add_argument(
        "--filled",
        action="store_true",
        help="measure the rows that are in --folder, or at DATABASE_URL, already",
    )
    arguments = parser.parse_args()
    if arguments.postgresql and "DATABASE_URL" not in os.environ:
        from tests import postgresql

        with postgresql.server() as url:
            command = [sys.executable, "-m", "benchmarks.list_speed", *sys.argv[1:]]
            subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=True)
        return
    with tempfile.TemporaryDirectory(prefix="list-speed-") as folder:
        os.environ["FINETUNE_SITE_VAR"] = arguments.folder or folder
        measure(arguments.rows, is_filled=arguments.filled)


def measure(n_rows: int, *, is_filled: bool) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from django.core.management import call_command

    from datasets_app.models import Dataset

    call_command("migrate", verbosity=0)
    if not is_filled:
        make_rows(n_rows)
    print_pages(Dataset.objects.get(), n_rows)


def make_rows(n_rows: int) -> None:
    from django.db import connection

    dataset = make_dataset()
    began = time.perf_counter()
    fill(dataset, n_rows)
    say(f"\n{connection.vendor}, {n_rows:,} rows", began)
    build_index(n_rows)


def make_dataset() -> Any:
    from datasets_app.models import Dataset, ImportRun, Tag
    from teams_app.models import Membership, Role, Team, User

    team = Team.objects.create(name="Benchmark", slug="benchmark")
    user = User.objects.create_user("bench")
    Membership.objects.create(team=team, user=user, role=Role.REVIEWER)
    for name in ("hard", "odd"):
        Tag.objects.create(team=team, name=name)
    dataset = Dataset.objects.create(team=team, name="Benchmark")
    for name in ("first.jsonl", "last.jsonl"):
        ImportRun.objects.create(dataset=dataset, file_name=name, n_added=1)
    return dataset


def texts(chance: random.Random, n: int) -> tuple[str, str]:
    """Question and answer of row n."""
    said_in, many = (KOREAN, 100) if n % 2 else (ENGLISH, 230)
    words = said_in.split()
    said = " ".join(chance.choices(words, k=many))
    for every, word in ((100, "갑돌이가 middling order"), (1_000, "zyxquark")):
        if n % every == 4:
            said += f" {word}"
    if n == 7:
        said += " 뷁쉛"
    return " ".join(chance.choices(words, k=15)), said


def fill(dataset: Any, n_rows: int) -> None:
    from django.db import transaction

    chance = random.Random(7)
    numbers = iter(range(n_rows))
    while some := list(islice(numbers, AT_ONCE)):
        with transaction.atomic():
            fill_some(dataset, n_rows, chance, some)


def fill_some(
    dataset: Any, n_rows: int, chance: random.Random, some: list[int]
) -> None:
    from datasets_app.models import Example, Finding, ImportRun, Tag
    from datasets_app.services.inserting import insert_rows

    imports = list(ImportRun.objects.order_by("pk").values_list("pk", flat=True))
    tags = dict(Tag.objects.values_list("name", "pk"))
    rows = [row(n, n_rows, chance, dataset.pk, imports) for n in some]
    insert_rows(Example, rows[0].keys(), (tuple(r.values()) for r in rows))
    ids = Example.objects.filter(dataset=dataset, position__in=some)
    pk_of = dict(ids.values_list("position", "pk"))
    links = [(pk_of[n], tags["hard"]) for n in some if n % 100 == 9]
    links += [(pk_of[n], tags["odd"]) for n in some if n % 10_000 == 9]
    insert_rows(Example.tags.through, ("example", "tag"), links)
    found = ("dataset", "example", "code", "severity", "params")
    codes = [
        (dataset.pk, pk_of[n], "secret" if n % 40 == 3 else "email", "warning", "{}")
        for n in some
        if n % 20 == 3
    ]
    insert_rows(Finding, found, codes)


def row(
    n: int, n_rows: int, chance: random.Random, dataset_pk: int, imports: list[int]
) -> dict[str, Any]:
    from django.db import connection
    from django.utils.timezone import now

    asked, said = texts(chance, n)
    roles = (("user", asked), ("assistant", said))
    turns = [{"role": role, "content": text} for role, text in roles]
    changed = connection.ops.adapt_datetimefield_value(now())
    state = "rejected" if n % 20 == 1 else "draft"
    return {
        "dataset": dataset_pk,
        "position": n,
        "messages": json.dumps(turns, ensure_ascii=False),
        "state": "in_review" if n % 10_000 == 6 else state,
        "split": "validation" if n % 10 == 5 else "train",
        "is_pinned": n % 5_000 == 8,
        "reject_reason": "",
        "text": f"{asked}\n{said}",
        "n_tokens": chance.randrange(1_000),
        "content_hash": f"{n:064x}",
        "problems": '[{"code":"no_role"}]' if n % 200 == 2 else "[]",
        "is_valid": n % 200 != 2,
        "n_findings": (n % 20 == 3) * (1 + n % 3),
        "import_run": imports[n > n_rows * 0.99],
        "created_at": changed,
        "updated_at": changed,
    }


def build_index(n_rows: int) -> None:
    from django.db import connection

    from datasets_app import services

    before, began = database_bytes(connection), time.perf_counter()
    services.index_texts(max_seconds=36_000)
    seconds = time.perf_counter() - began
    size = (database_bytes(connection) - before) / 1e6
    print(
        f"text index: {seconds:.0f} s ({1e6 * seconds / n_rows:.0f} µs a row), "
        f"{size:,.0f} MB; the whole database {database_bytes(connection) / 1e6:,.0f} MB"
    )


def database_bytes(connection: Any) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        return int(cursor.fetchone()[0])


def print_pages(dataset: Any, n_rows: int) -> None:
    from django.db import connection
    from django.test import Client

    from teams_app.models import User

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
    print("| page | median ms | quickest ms | CPU ms | queries | rows | load |")
    print("|---|---|---|---|---|---|---|")
    for name, line in page_lines(client, dataset, n_rows):
        print(f"| {name} | {line} |", flush=True)


def page_lines(client: Any, dataset: Any, n_rows: int) -> Iterator[tuple[str, str]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    url = reverse("admin:datasets_app_example_changelist")
    for name, query in PAGES.items():
        asked = {"dataset": dataset.pk, **really(query, dataset, n_rows)}
        answer = client.get(url, asked)
        assert answer.status_code == 200, (name, answer.status_code)
        n_shown = len(answer.context_data["page"].rows)
        more = "+" if answer.context_data["page"].n_looked_at else ""
        with CaptureQueriesContext(connection) as queries:
            client.get(url, asked)
        n_queries = len(queries)  # the log is emptied by the next request
        times = [milliseconds(client, url, asked) for _ in range(ROUNDS)]
        walls, cpus = zip(*times, strict=True)
        verdict = "" if min(walls) < ALLOWED_MS else f" (over {ALLOWED_MS})"
        yield (
            name,
            f"{statistics.median(walls):.0f} | {min(walls):.0f}{verdict} "
            f"| {statistics.median(cpus):.0f} | {n_queries} | {n_shown}{more} "
            f"| {os.getloadavg()[0]:.1f}",
        )


def really(query: dict[str, str], dataset: Any, n_rows: int) -> dict[str, str]:
    """The words that stand for something in this database."""
    from datasets_app.models import Example, ImportRun

    meant = dict(query)
    if meant.get("at"):
        meant["at"] = str(n_rows // 2)
    if meant.get("after"):
        middle = Example.objects.get(dataset=dataset, position=n_rows // 2)
        meant["after"] = f"0-{middle.pk}"
    if meant.get("import_run"):
        meant["import_run"] = str(ImportRun.objects.latest("pk").pk)
    return meant


def milliseconds(client: Any, url: str, asked: dict[str, Any]) -> tuple[float, float]:
    """Of one request: by the clock, and of our processor (busy neighbours excluded).

    SQLite works within our process, PostgreSQL in one of its own.
    """
    began, cpu_began = time.perf_counter(), time.process_time()
    client.get(url, asked)
    return (
        1000 * (time.perf_counter() - began),
        1000 * (time.process_time() - cpu_began),
    )


def say(what: str, began: float) -> None:
    print(f"{what}: filled in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
