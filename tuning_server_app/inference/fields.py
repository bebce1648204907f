"""Fields of a JSON body, each with the type and range that it must have."""

from collections.abc import Mapping
from typing import Any

from tuning_server_app.errors import invalid

Body = Mapping[str, Any]


def integer(
    body: Body, name: str, default: int, *, low: int, high: int = 2**31 - 1
) -> int:
    value = optional_integer(body, name, low=low, high=high)
    return default if value is None else value


def optional_integer(body: Body, name: str, *, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not _is_number(value, int):
        raise invalid(f"{name} must be a whole number.", param=name)
    return int(within(value, name, low, high))


def number(body: Body, name: str, default: float, *, low: float, high: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if not _is_number(value, int | float):
        raise invalid(f"{name} must be a number.", param=name)
    return float(within(value, name, low, high))


def boolean(body: Body, name: str, default: bool) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise invalid(f"{name} must be true or false.", param=name)
    return value


def optional_object(body: Body, name: str) -> dict[str, Any]:
    """The object, or an empty one."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object.", param=name)
    return value


def checked(body: Body, name: str, kind: Any, words: str) -> Any:
    value = body.get(name)
    if not isinstance(value, kind):
        raise invalid(f"{name} must be {words}.", param=name)
    return value


def within(value: float, name: str, low: float, high: float) -> float:
    if low <= value <= high:
        return value
    raise invalid(f"{name} must be from {low} to {high}, not {value}.", param=name)


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
