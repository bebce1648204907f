"""Server time of the portal's pages with 1,000 jobs in a scratch database.

python -m benchmarks.page_speed
"""

import os
import statistics
import time
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.job_history import seed  # noqa: E402

N_JOBS = 1000
N_STEPS = 300
ROUNDS = 30
ALLOWED_MS = 50


def main() -> None:
    call_command("migrate", verbosity=0)
    history = seed(n_jobs=N_JOBS, n_steps=N_STEPS)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(history.user, "django.contrib.auth.backends.ModelBackend")
    pages = {
        "home": "/",
        "history": "/jobs/",
        "history, last page": f"/jobs/?page={N_JOBS // 25}",
        "history, searched": "/jobs/?q=tone&status=succeeded",
        f"job, {N_STEPS} steps": f"/jobs/{history.long_job.pk}/",
        "job, one update": f"/jobs/{history.long_job.pk}/live/",
    }
    print(f"| {N_JOBS:,} jobs | median ms | slowest ms | queries | KB |")
    print("|---|---|---|---|---|")
    for name, path in pages.items():
        print(row(name, client, path))


def row(name: str, client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    n_queries = len(queries)  # the log is emptied by the next request
    times = [milliseconds(client, path) for _round in range(ROUNDS)]
    median = statistics.median(times)
    verdict = "" if median < ALLOWED_MS else f" (over {ALLOWED_MS})"
    size = len(answer.content) / 1000
    return (
        f"| {name} | {median:.1f}{verdict} | {max(times):.1f} "
        f"| {n_queries} | {size:.0f} |"
    )


def milliseconds(client: Any, path: str) -> float:
    began = time.perf_counter()
    client.get(path)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
