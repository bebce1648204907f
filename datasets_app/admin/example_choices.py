"""What the filters of the example list offer, of one dataset and its team."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from datasets_app.models import (
    CheckRun,
    Dataset,
    Example,
    ImportRun,
    ReviewState,
    RunStatus,
    Split,
    Tag,
)
from datasets_app.problem_texts import in_general
from datasets_app.services.selection import ANY, NONE, Selection
from teams_app.models import User

MOST = 200  # of each kind: nobody looks through more
ROWS_LOOKED_THROUGH = 1_000

Choices = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Field:
    """One filter: its name in the address, its label, its choices, the chosen one."""

    name: str
    label: str
    choices: Choices
    value: str


def filter_fields(dataset: Dataset, selection: Selection) -> list[Field]:
    """The filters that are always in sight, and then the rarer ones."""
    people = _people(dataset)
    offered: list[tuple[str, str, Choices]] = [
        ("state", _("State"), list(ReviewState.choices)),
        ("split", _("Split"), list(Split.choices)),
        ("tag", _("Tag"), _tags(dataset)),
        ("finding", _("Finding"), [(ANY, _("any finding")), *_findings(dataset)]),
        ("problem", _("Problem"), _problems(dataset)),
        ("assignee", _("Assignee"), people),
        ("import_run", _("Import"), _imports(dataset)),
        ("version", _("Version"), _versions(dataset)),
        ("changed_by", _("Changed by"), people),
        ("comments", _("Comments"), [(ANY, _("with")), (NONE, _("without"))]),
        ("pinned", _("Pinned"), [("yes", _("yes")), ("no", _("no"))]),
    ]
    return [
        Field(name, label, _with(choices, value), value)
        for name, label, choices in offered
        for value in [getattr(selection, name)]
    ]


def _with(choices: Choices, value: str) -> Choices:
    """A value from an address stays chosen although it is not offered."""
    known = {key for key, _label in choices}
    return choices if not value or value in known else [*choices, (value, value)]


def _tags(dataset: Dataset) -> Choices:
    names = Tag.objects.filter(team=dataset.team_id).values_list("name", flat=True)
    return [(name, name) for name in names[:MOST]]


def _findings(dataset: Dataset) -> Choices:
    """What the newest check has found."""
    checks = CheckRun.objects.filter(dataset=dataset, status=RunStatus.FINISHED)
    summary = checks.order_by("-pk").values_list("summary", flat=True).first()
    return [(code, in_general(code)) for code in sorted(summary or {})]


def _problems(dataset: Dataset) -> Choices:
    """The problems of the rows, or of a thousand of them."""
    invalid = Example.objects.filter(dataset=dataset, is_valid=False).order_by("pk")
    lists = invalid.values_list("problems", flat=True)[:ROWS_LOOKED_THROUGH]
    codes = sorted({problem["code"] for problems in lists for problem in problems})
    seen = [(code, in_general(code)) for code in codes]
    return [(NONE, _("none: valid")), (ANY, _("any problem")), *seen]


def _people(dataset: Dataset) -> Choices:
    people = User.objects.filter(membership__team=dataset.team_id)
    return [(str(user.pk), str(user)) for user in people.order_by("username")[:MOST]]


def _imports(dataset: Dataset) -> Choices:
    runs = ImportRun.objects.filter(dataset=dataset, n_added__gt=0).order_by("-pk")
    names = runs.values_list("pk", "file_name")[:MOST]
    return [(str(pk), name) for pk, name in names]


def _versions(dataset: Dataset) -> Choices:
    numbers = dataset.versions.values_list("pk", "number")[:MOST]
    return [(str(pk), f"v{number}") for pk, number in numbers]
