"""Rows for tests: `make_x(**overrides)`, each with just what it needs to exist."""

import hashlib
import json
from itertools import count
from typing import Any

from django.core.files.base import ContentFile

from datasets_app.models import Dataset, DatasetVersion, Example
from datasets_app.services import save_example
from jobs_app.models import FineTuningJob, Provider
from teams_app.models import Membership, Role, Team, User

# Five digits each: names are as wide alone as in a run of all tests.
_numbers = count(10_001)


def make_team(**overrides: Any) -> Team:
    n = next(_numbers)
    return Team.objects.create(
        **{"name": f"Team {n}", "slug": f"team-{n}", **overrides}
    )


def make_user(**overrides: Any) -> User:
    return User.objects.create_user(
        **{"username": f"user-{next(_numbers)}", **overrides}
    )


def make_member(role: Role, team: Team | None = None, **overrides: Any) -> User:
    """A user who has `role` in `team` (a new one if none is given)."""
    user = make_user(**overrides)
    Membership.objects.create(team=team or make_team(), user=user, role=role)
    return user


def make_dataset(**overrides: Any) -> Dataset:
    defaults = {"team": overrides.pop("team", None) or make_team()}
    return Dataset.objects.create(
        **{**defaults, "name": f"Dataset {next(_numbers)}", **overrides}
    )


def make_example(**overrides: Any) -> Example:
    """A valid draft; what is derived from its messages is derived as in the site."""
    n = next(_numbers)
    turns = [
        {"role": "user", "content": f"Question {n}?"},
        {"role": "assistant", "content": f"Answer {n}."},
    ]
    dataset = overrides.pop("dataset", None) or make_dataset()
    tags, state = overrides.pop("tags", ()), overrides.pop("state", None)
    by = overrides.pop("by", None)
    example = Example(dataset=dataset, **{"messages": turns, **overrides})
    save_example(example, by=by)
    example.tags.set(tags)
    if state:
        Example.objects.filter(pk=example.pk).update(state=state)
        example.refresh_from_db()
    return example


def chat_line(question: str, answer: str) -> bytes:
    """One row of a training file."""
    turns = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    return json.dumps({"messages": turns}, ensure_ascii=False).encode() + b"\n"


def chat_lines(n: int) -> bytes:
    return b"".join(
        chat_line(f"Question {i}?", f"Answer {i}.") for i in range(1, n + 1)
    )


def make_version(
    *, training: bytes | None = None, validation: bytes = b"", **overrides: Any
) -> DatasetVersion:
    """A frozen version with real files of these bytes; ten training rows by default."""
    training = chat_lines(10) if training is None else training
    version = DatasetVersion(
        **{
            "dataset": overrides.pop("dataset", None) or make_dataset(),
            "number": next(_numbers),
            "training_sha256": hashlib.sha256(training).hexdigest(),
            "n_training_rows": training.count(b"\n"),
            "n_training_tokens": len(training),
            "n_validation_rows": validation.count(b"\n"),
            **overrides,
        }
    )
    version.training_file.save("train.jsonl", ContentFile(training), save=False)
    if validation:
        name, content = "validation.jsonl", ContentFile(validation)
        version.validation_file.save(name, content, save=False)
    version.save()
    return version


def make_provider(**overrides: Any) -> Provider:
    defaults = {
        "name": f"Provider {next(_numbers)}",
        "kind": "compatible",
        "base_url": "https://models.example/v1",
        "api_key": "sk-secret-of-the-team",
        "default_base_model": "base-model",
    }
    team = overrides.pop("team", None) or make_team()
    return Provider.objects.create(**{**defaults, "team": team, **overrides})


def make_job(**overrides: Any) -> FineTuningJob:
    """A draft; its provider and version belong to one team."""
    version = overrides.pop("dataset_version", None)
    provider = overrides.pop("provider", None)
    team = overrides.pop("team", None)
    if team is None and provider is not None:
        team = provider.team
    if team is None:
        team = version.dataset.team if version else make_team()
    return FineTuningJob.objects.create(
        **{
            "team": team,
            "provider": provider or make_provider(team=team),
            "dataset_version": version or make_version(dataset=make_dataset(team=team)),
            "base_model": "base-model",
            **overrides,
        }
    )
