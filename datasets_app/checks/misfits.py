"""What of a value breaks its schema: plain values, for which `schema_texts` has words.

    {"at": "days[0]", "rule": "maximum", "found": "9", "wanted": "7"}

`at` is the place in the arguments ("" for all of them), `rule` the schema's keyword,
`found` what is there and `wanted` what may be there. For a keyword that nobody here
knows `why` holds the library's own sentence, which is English.
"""

from collections.abc import Callable
from typing import Any

from jsonschema.exceptions import ValidationError

from datasets_app import exact_json
from datasets_app.jsonl import json_type

MAX_SAID = 200  # characters of a sentence
MAX_VALUE = 60  # characters of a value
MAX_CHOICES = 12
Params = dict[str, Any]


def misfit(error: ValidationError) -> Params:
    rule = error.validator
    tell = TELLERS.get(rule) if isinstance(rule, str) else None
    if tell is None:
        return {"why": f"{_place(error)} {error.message}".strip()[:MAX_SAID]}
    return {"at": _place(error), "rule": rule, **tell(error)}


def _place(error: ValidationError) -> str:
    """Like `days[0].hour`."""
    place = ""
    for part in error.absolute_path:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place.removeprefix(".")[:MAX_VALUE]


def _value(value: Any) -> str:
    text = exact_json.dumps(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _type(error: ValidationError) -> Params:
    wanted: Any = error.validator_value
    names = wanted if isinstance(wanted, list) else [wanted]
    found = json_type(error.instance)
    return {"found": found, "wanted": [str(name) for name in names]}


def _choice(error: ValidationError) -> Params:
    wanted: Any = error.validator_value
    shown = [_value(each) for each in list(wanted)[:MAX_CHOICES]]
    more = ["…"] if len(wanted) > MAX_CHOICES else []
    return {"found": _value(error.instance), "wanted": ", ".join([*shown, *more])}


def _limit(error: ValidationError) -> Params:
    return {"found": _value(error.instance), "wanted": _value(error.validator_value)}


def _length(error: ValidationError) -> Params:
    found: Any = error.instance
    return {"found": len(found), "wanted": _value(error.validator_value)}


def _text(error: ValidationError) -> Params:
    wanted = str(error.validator_value)[:MAX_VALUE]
    return {"found": _value(error.instance), "wanted": wanted}


def _missing(error: ValidationError) -> Params:
    """The library has an error for each key; only the first one of all is told."""
    wanted: Any = error.validator_value
    found: Any = error.instance
    missing = (key for key in wanted if key not in found)
    return {"key": str(next(missing, ""))[:MAX_VALUE]}


def _further(error: ValidationError) -> Params:
    """`bounded_schema` gives the key that is too many as what was found."""
    return {"key": str(error.instance)[:MAX_VALUE]}


def _nothing(_error: ValidationError) -> Params:
    return {}


TELLERS: dict[str, Callable[[ValidationError], Params]] = {
    "type": _type,
    "enum": _choice,
    "const": _limit,
    "required": _missing,
    "additionalProperties": _further,
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), _limit),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _limit),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _length),
    **dict.fromkeys(("minProperties", "maxProperties"), _length),
    **dict.fromkeys(("pattern", "format"), _text),
    **dict.fromkeys(("uniqueItems", "anyOf", "oneOf", "not"), _nothing),
    "contains": _nothing,
}
