"""Server time of the portal's pages with 1,000 jobs in a scratch database.

python -m benchmarks.page_speed
"""

import os
import statistics
import time

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
        "floor: change password": "/account/password/",
        "home": "/",
        "history": "/jobs/",
        "history, last page": f"/jobs/?page={N_JOBS // 25}",
        "history, searched": "/jobs/?q=tone&status=succeeded",
        f"job, {N_STEPS} steps": f"/jobs/{history.long_job.pk}/",
        "job, one update": f"/jobs/{history.long_job.pk}/live/",
    }
    print(f"| {N_JOBS:,} jobs | median ms | quickest ms | CPU ms | queries | KB |")
    print("|---|---|---|---|---|---|")
    for name, path in pages.items():
        print(row(name, client, path))


def row(name: str, client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    n_queries = len(queries)  # the log is emptied by the next request
    walls, cpus = zip(*(milliseconds(client, path) for _ in range(ROUNDS)), strict=True)
    median = statistics.median(walls)
    verdict = "" if median < ALLOWED_MS else f" (over {ALLOWED_MS})"
    return (
        f"| {name} | {median:.1f}{verdict} | {min(walls):.1f} "
        f"| {statistics.median(cpus):.1f} | {n_queries} "
        f"| {len(answer.content) / 1000:.0f} |"
    )


def milliseconds(client: Client, path: str) -> tuple[float, float]:
    """Of one request: by the clock, and of the processor (busy neighbours excluded)."""
    began, cpu_began = time.perf_counter(), time.process_time()
    client.get(path)
    return (
        1000 * (time.perf_counter() - began),
        1000 * (time.process_time() - cpu_began),
    )


if __name__ == "__main__":
    main()
