"""The triggers of the audit log go before a migration and are back after it."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal

from teams_app import append_only, audit
from teams_app.models import AuditEntry, Verb
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db


def is_open() -> bool:
    audit.record(Verb.CREATED, make_dataset(), by=None)
    try:
        with transaction.atomic():
            AuditEntry.objects.update(who="nobody")
    except DatabaseError:
        return False
    return True


def test_only_a_migration_opens_the_log():
    append_only._before("default", plan=[])
    assert not is_open()

    append_only._before("default", plan=["a step"])
    assert is_open()


def test_after_a_migration_the_log_is_closed_whatever_it_was():
    append_only.remove(connection)
    append_only._after("default")
    assert not is_open()

    append_only._after("default")
    assert not is_open()


def test_where_there_is_no_log_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(append_only, "TABLE", "not_there")
    closed: list[object] = []
    monkeypatch.setattr(append_only, "install", closed.append)

    append_only._after("default")

    assert closed == []


def test_a_log_that_cannot_be_closed_anew_stays_closed(monkeypatch):
    def fail(connection: object) -> None:
        append_only.remove(connection)
        raise DatabaseError("Full.")

    monkeypatch.setattr(append_only, "install", fail)
    with pytest.raises(DatabaseError, match="Full"):
        append_only._after("default")

    assert not is_open()


def test_every_migration_of_the_app_is_heard(monkeypatch):
    before, after, app = Signal(), Signal(), object()
    monkeypatch.setattr(append_only, "pre_migrate", before)
    monkeypatch.setattr(append_only, "post_migrate", after)
    append_only.connect(app)

    before.send(app, using="default", plan=["a step"])
    assert is_open()
    after.send(app, using="default")
    assert not is_open()
