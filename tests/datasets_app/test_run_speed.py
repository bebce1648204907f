"""How far a run is, how fast it goes, and whether anybody does it."""

from datetime import timedelta

from django.utils.timezone import now

from datasets_app.models import CheckRun, ImportRun, RunStatus


def running(**overrides) -> ImportRun:
    time = now()
    return ImportRun(
        **{
            "status": RunStatus.RUNNING,
            "n_total": 1_000,
            "n_done": 400,
            "n_done_before": 200,
            "n_read": 40,
            "started_at": time - timedelta(seconds=10),
            "heartbeat_at": time,
            **overrides,
        }
    )


def test_the_time_left_is_told_from_what_this_process_did():
    assert running().per_second == 20
    assert running().rows_per_second == 2
    assert running().time_left == timedelta(seconds=30)


def test_an_all_or_nothing_import_has_two_passes_before_it():
    assert running(strict=True).time_left == timedelta(seconds=80)
    assert running(strict=True, is_checked=True).percent == 70


def test_nothing_is_promised_before_anything_is_done():
    assert running(n_done=200).time_left is None
    assert running(started_at=None).time_left is None
    assert running(status=RunStatus.FINISHED).time_left is None


def test_a_run_that_nobody_takes_up_is_noticed():
    old, fresh = now() - timedelta(seconds=21), now()
    assert CheckRun(status=RunStatus.PENDING, created_at=old).is_unheard
    assert not CheckRun(status=RunStatus.PENDING, created_at=fresh).is_unheard
    started = CheckRun(status=RunStatus.PENDING, created_at=old, heartbeat_at=fresh)
    assert not started.is_unheard
    assert not CheckRun(status=RunStatus.RUNNING, created_at=old).is_unheard
