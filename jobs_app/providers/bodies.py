"""The JSON body that creates a job, as each kind of provider wants it."""

from collections.abc import Mapping
from typing import Any

from jobs_app.kinds import Profile

AUTO = "auto"
# What we say ourselves, and nobody's extra fields may say instead.
RESERVED = {
    "model",
    "training_file",
    "validation_file",
    "method",
    "metadata",
    "suffix",
    "seed",
}
HYPERPARAMETERS = "hyperparameters"


def extra_fields(profile: Profile, own: Mapping[str, Any]) -> dict[str, Any]:
    """The kind's extra fields, with the provider's own over them; null takes one away.

    Objects are merged, so that {"hyperparameters": {"lora_r": 16}} adds to the kind's.
    """
    merged: dict[str, Any] = dict(profile.extra_body)
    for name, value in own.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = {**before, **value} if both else value  # type: ignore[dict-item]
    return {
        name: value
        for name, value in merged.items()
        if value is not None and name not in RESERVED
    }


def job_body(
    profile: Profile,
    extra: Mapping[str, Any],
    *,
    method: str = "supervised",
    hyperparameters: Mapping[str, Any] | None = None,
    **asked: Any,
) -> dict[str, Any]:
    """The body of POST /fine_tuning/jobs; what is empty, and "auto", is left out."""
    body = {name: each for name, each in extra.items() if name != HYPERPARAMETERS}
    body |= {name: each for name, each in asked.items() if each not in ("", None, {})}
    wanted = {**extra.get(HYPERPARAMETERS, {}), **(hyperparameters or {})}
    knobs = {name: value for name, value in wanted.items() if value not in (AUTO, None)}
    if not profile.hyperparameters_at_top:
        body["method"] = {
            "type": method,
            method: {HYPERPARAMETERS: knobs} if knobs else {},
        }
    elif knobs:
        body[HYPERPARAMETERS] = knobs
    return body


def companions(profile: Profile, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The extra fields that go with every other call."""
    return {name: extra[name] for name in profile.companions if name in extra}
