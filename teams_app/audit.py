"""Writing the audit log: `record(Verb.FROZEN, version, by=user)`, beside the act itself
and in its transaction, so that neither is stored without the other."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Model

from teams_app.access import team_of
from teams_app.models import ApiToken, AuditEntry, Door, Membership, Thing, User, Verb

LONGEST_LABEL = 300
# The command that this process is running; in no request and no task is there one.
_command: ContextVar[str] = ContextVar("command", default="")


@contextmanager
def as_command(name: str) -> Iterator[None]:
    """What is recorded in this block without a user was done by that command."""
    token = _command.set(name)
    try:
        yield
    finally:
        _command.reset(token)


def record(
    verb: Verb, row: Model, /, *, by: Any, label: Any = "", **details: Any
) -> None:
    """Add a line about a row that belongs to a team.

    Args:
        by: the user; None for a command or for the site itself.
        label: what the row is called, if not by its own text.
        details: short facts; never a secret, never the text of a row.
    """
    entry = _entry(verb, row, by, details, team_id=team_of(row).pk)
    entry.label = label[:LONGEST_LABEL] or entry.label
    entry.save()


def record_of_user(
    verb: Verb, row: ApiToken | User, *, user: User, by: Any, **details: Any
) -> None:
    """Add a line about what belongs to a user: one for each team the user is in."""
    teams: Iterable[int | None] = Membership.objects.filter(user=user).values_list(
        "team", flat=True
    )
    AuditEntry.objects.bulk_create(
        _entry(verb, row, by, details, team_id=team) for team in list(teams) or [None]
    )


def _entry(
    verb: Verb, row: Model, by: Any, details: dict[str, Any], *, team_id: int | None
) -> AuditEntry:
    if token := getattr(by, "acting_token", ""):
        details = {**details, "token": token}
    return AuditEntry(
        team_id=team_id,
        verb=verb,
        thing=Thing(str(row._meta.model_name)),
        thing_id=row.pk,
        label=str(row)[:LONGEST_LABEL],
        details=details,
        **_actor(by),
    )


def _actor(by: Any) -> dict[str, str]:
    """Who acts, as the log has it."""
    if by is None:
        command = _command.get()
        if command:
            return {"door": Door.COMMAND, "who": f"./manage.py {command}"}
        return {"door": Door.SYSTEM, "who": "finetune-site"}
    # user_of_token says so: what a script does is told from what its owner does.
    is_script = hasattr(by, "acting_token")
    return {"door": Door.TOKEN if is_script else Door.PERSON, "who": by.get_username()}
