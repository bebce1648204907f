"""The body of a request for a fine-tuning job, checked field by field."""

from dataclasses import dataclass
from typing import Any

from tuning_server_app.errors import invalid, refuse_unknown
from tuning_server_app.metadata import check_metadata
from tuning_server_app.training_files.conversations import DPO, SUPERVISED

KNOWN_FIELDS = {
    "model",
    "training_file",
    "validation_file",
    "method",
    "hyperparameters",
    "suffix",
    "seed",
    "integrations",
    "metadata",
}
MAX_SUFFIX = 64
MAX_SEED = 2**31 - 1
AUTO = "auto"
WHOLE_NUMBERS = {"n_epochs": 50, "batch_size": 256}  # largest; the smallest is 1
NUMBERS = {"learning_rate_multiplier": 1000, "beta": 2}  # largest; all are above 0
SHARED = [*WHOLE_NUMBERS, "learning_rate_multiplier"]
METHODS = {SUPERVISED: SHARED, DPO: [*SHARED, "beta"]}


@dataclass(frozen=True)
class JobRequest:
    """What the client asks for, each field of the right shape."""

    model: str
    training_file: str
    validation_file: str
    method: str
    hyperparameters: dict[str, Any]
    suffix: str
    seed: int | None
    metadata: dict[str, str] | None


def parse_job_request(body: object) -> JobRequest:
    """Read the body.

    Raises:
        ApiError: naming the field that is missing, unknown or wrong.
    """
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    refuse_unknown(body, KNOWN_FIELDS)
    if body.get("integrations"):
        raise invalid(
            "This server has no integrations. Leave the field out; the metrics of"
            " every step are in the job's events.",
            param="integrations",
        )
    return JobRequest(
        model=_text(body, "model"),
        training_file=_text(body, "training_file"),
        validation_file=_text(body, "validation_file", required=False),
        method=_method(body),
        hyperparameters=_hyperparameters(body, _method(body)),
        suffix=_suffix(body),
        seed=_seed(body),
        metadata=check_metadata(body.get("metadata")),
    )


def _text(body: dict[str, Any], field: str, *, required: bool = True) -> str:
    value = body.get(field)
    if value is None and not required:
        return ""
    if value is None:
        raise invalid(
            f"Missing required parameter: '{field}'.",
            param=field,
            code="missing_required_parameter",
        )
    if not isinstance(value, str) or not value:
        raise invalid(f"{field} must be a string that is not empty.", param=field)
    return value


def _suffix(body: dict[str, Any]) -> str:
    suffix = _text(body, "suffix", required=False)
    if len(suffix) > MAX_SUFFIX:
        raise invalid(
            f"suffix may have at most {MAX_SUFFIX} characters; this one has"
            f" {len(suffix)}.",
            param="suffix",
        )
    return suffix


def _seed(body: dict[str, Any]) -> int | None:
    seed = body.get("seed")
    if seed is None or (_is_whole(seed) and 0 <= seed <= MAX_SEED):
        return seed
    raise invalid(f"seed must be a whole number from 0 to {MAX_SEED}.", param="seed")


def _method(body: dict[str, Any]) -> str:
    method = body.get("method")
    if method is None:
        return SUPERVISED
    kind = method.get("type") if isinstance(method, dict) else None
    if not isinstance(kind, str) or kind not in METHODS:
        raise invalid(
            f"This server trains with the methods {' and '.join(METHODS)}, not"
            f" {_shown(kind)}.",
            param="method.type",
            code="unsupported_method",
        )
    return kind


def _hyperparameters(body: dict[str, Any], method: str) -> dict[str, Any]:
    """From the method's own block, or from the deprecated place at the top level."""
    given, place = body.get("hyperparameters"), "hyperparameters"
    block = (body.get("method") or {}).get(method) or {}
    if not isinstance(block, dict):
        raise invalid(f"method.{method} must be an object.", param=f"method.{method}")
    if block.get("hyperparameters") is not None:
        given, place = block["hyperparameters"], f"method.{method}.hyperparameters"
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise invalid(f"{place} must be an object.", param=place)
    names = METHODS[method]
    for name in sorted(given.keys() - set(names)):
        raise invalid(
            f"Unknown hyperparameter '{name}'. There are: {', '.join(names)}.",
            param=f"{place}.{name}",
            code="unknown_parameter",
        )
    return {name: _hyperparameter(given.get(name), name, place) for name in names}


def _hyperparameter(value: Any, name: str, place: str) -> Any:
    if value is None or value == AUTO:
        return AUTO
    if name in WHOLE_NUMBERS:
        largest = WHOLE_NUMBERS[name]
        if _is_whole(value) and 1 <= value <= largest:
            return value
        wanted = f"a whole number from 1 to {largest}"
    else:
        largest = NUMBERS[name]
        if _is_number(value) and 0 < value <= largest:
            return value
        wanted = f"a number above 0 and up to {largest}"
    raise invalid(
        f"{name} must be {wanted}, or 'auto'; it is {_shown(value)}.",
        param=f"{place}.{name}",
    )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _shown(value: object) -> str:
    return repr(value)[:100]
