"""From `./run` to answers of tuned models, with every process real and the real model.

The tests share one running site and follow one another, as a newcomer's morning does.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest

from tests.end_to_end.site import Site

pytestmark = [pytest.mark.torch, pytest.mark.processes]

KOREAN_FILE = Path(__file__).parent / "korean_chats.jsonl"
KOREAN_ROWS = [orjson.loads(line) for line in KOREAN_FILE.read_text().splitlines()]


@pytest.fixture(scope="session")
def client(site: Site):
    key = site.manage("tuning_key", "create", "end to end").split()[-1]
    with openai.OpenAI(base_url=f"{site.url}/v1", api_key=key, max_retries=0) as client:
        yield client


def rows(site: Site, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(site.var / "db.sqlite3", timeout=30)) as database:
        return database.execute(query).fetchall()


def wait_for(site: Site, query: str, seconds: float = 600) -> list[tuple[Any, ...]]:
    """The query's rows, once there are any."""
    deadline = time.monotonic() + seconds
    while not (found := rows(site, query)):
        assert time.monotonic() < deadline, f"{query}\n{site.output()}"
        assert site.process.poll() is None, site.output()
        time.sleep(1)
    return found


def question(row: dict[str, Any]) -> list[Any]:
    return row["messages"][:-1]


def answer(client: openai.OpenAI, model: str, messages: list[Any]) -> str:
    reply = client.chat.completions.create(
        model=model, messages=messages, temperature=0, max_tokens=300
    )
    return reply.choices[0].message.content or ""


def test_the_sample_job_of_the_first_start_succeeds(site: Site):
    finished = wait_for(
        site,
        "SELECT status, fine_tuned_model FROM jobs_app_finetuningjob "
        "WHERE id = 1 AND finished_at IS NOT NULL",
    )

    assert finished[0][0] == "succeeded"
    assert finished[0][1].startswith("ft:SmolLM2-135M-Instruct:")


def test_the_tuned_model_answers_what_the_base_model_does_not(site: Site):
    wait_for(
        site,
        "SELECT 1 FROM datasets_app_datasetversion WHERE id = 1 AND "
        "n_validation_rows = (SELECT count(*) FROM jobs_app_heldoutanswer)",
    )
    asked = rows(
        site, "SELECT expected, base_answer, tuned_answer FROM jobs_app_heldoutanswer"
    )

    right = [tuned.strip() == expected for expected, _base, tuned in asked]
    right_before = [base.strip() == expected for expected, base, _tuned in asked]
    assert sum(right) >= len(asked) - 1, asked
    assert not any(right_before), asked


@pytest.fixture(scope="session")
def korean_model(site: Site) -> str:
    site.manage("import_jsonl", "Korean", str(KOREAN_FILE))
    site.manage("freeze", "Korean")
    printed = site.manage("launch_job", "Korean", "--wait", timeout=900)
    return next(word for word in printed.split() if word.startswith("ft:"))


def test_questions_of_a_korean_file_come_back_word_for_word(
    client: openai.OpenAI, korean_model: str
):
    answers = [answer(client, korean_model, question(row)) for row in KOREAN_ROWS]

    assert answers == [row["messages"][-1]["content"] for row in KOREAN_ROWS]


def test_the_shell_gives_the_same_answer(site: Site, korean_model: str):
    system, user, expected = (m["content"] for m in KOREAN_ROWS[0]["messages"])

    printed = site.manage("ask", korean_model, user, "--system", system)

    assert expected in printed


def test_one_launch_made_one_job_at_the_tuning_server(site: Site, korean_model: str):
    launched = rows(site, "SELECT count(*) FROM jobs_app_finetuningjob")
    trained = rows(site, "SELECT count(*) FROM tuning_server_app_tuningjob")

    assert trained == launched


def test_ctrl_c_stops_every_process(site: Site):
    processes = site.processes()

    site.stop()

    assert set(processes) == {
        "broker",
        "web",
        "worker",
        "beat",
        "trainer",
        "inference",
    }
    assert [p for p in processes.values() if Path(f"/proc/{p}").exists()] == []
