"""A JSON Schema validator for schemas that nobody vouches for.

Every keyword costs a step of a budget, so that references which multiply end soon;
patterns run in RE2, in time linear in the text.
"""

import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from datasets_app import exact_json
from datasets_app.checks.text_formats import is_in_format

MAX_STEPS = 5_000
Check = Callable[..., Iterator[ValidationError] | None]


class BudgetSpent(Exception):
    """The schema asks for more work than any honest one."""


class _Budget(threading.local):
    left = 0


_budget = _Budget()


def start_budget() -> None:
    """This thread may look at MAX_STEPS keywords from now on."""
    _budget.left = MAX_STEPS


def _counted(check: Check) -> Check:
    def counted(*arguments: Any) -> Iterator[ValidationError]:
        _budget.left -= 1
        if _budget.left < 0:
            raise BudgetSpent
        yield from check(*arguments) or ()

    return counted


@lru_cache(maxsize=256)
def _expression(pattern: str) -> Any:
    """None for what RE2 does not know, such as a look-ahead: then all texts fit."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def _fits(pattern: str, text: str) -> bool:
    expression = _expression(pattern)
    return expression is None or expression.search(text) is not None


def _pattern(
    validator: Any, pattern: str, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _fits(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _format(
    validator: Any, name: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not is_in_format(name, instance):
        yield ValidationError(f"{instance!r} is not a {name!r}")


def _pattern_properties(
    validator: Any, patterns: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for key, value in instance.items():
            if _fits(pattern, key):
                yield from validator.descend(
                    value, subschema, path=key, schema_path=pattern
                )


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", {})
    for key in instance.keys() - schema.get("properties", {}).keys():
        if any(_fits(pattern, key) for pattern in patterns):
            continue
        if allowed is False:
            further = f"{key!r} is not among the parameters"
            yield ValidationError(further, instance=key)
        else:
            yield from validator.descend(instance[key], allowed, path=key)


def _unique_items(
    validator: Any, wanted: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if wanted and validator.is_type(instance, "array"):
        different = {exact_json.dumps(item) for item in instance}
        if len(different) < len(instance):
            yield ValidationError("its items are not all different")


# They search the whole schema by ways that no budget counts.
_LEFT_OUT = {"unevaluatedItems", "unevaluatedProperties", "$dynamicRef"}
_OWN: dict[str, Check] = {
    "format": _format,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
_ALL: dict[str, Check] = {**Draft202012Validator.VALIDATORS, **_OWN}

Validator = extend(
    Draft202012Validator,
    {
        name: (lambda *_arguments: None) if name in _LEFT_OUT else _counted(check)
        for name, check in _ALL.items()
    },
)
