"""Why the arguments of a call break the schema, in the viewer's language."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

TYPES: dict[str, Promise] = {
    "object": gettext_lazy("an object"),
    "array": gettext_lazy("a list"),
    "string": gettext_lazy("a text"),
    "number": gettext_lazy("a number"),
    "integer": gettext_lazy("a whole number"),
    "boolean": gettext_lazy("true or false"),
    "null": gettext_lazy("null"),
}
FORMATS: dict[str, Promise] = {
    "date": gettext_lazy("a date like 2026-01-31"),
    "time": gettext_lazy("a time like 09:30:00"),
    "date-time": gettext_lazy("a date and time like 2026-01-31T09:30:00Z"),
    "email": gettext_lazy("an e-mail address"),
    "uri": gettext_lazy("an address like https://example.com/"),
    "uuid": gettext_lazy("a UUID"),
    "ipv4": gettext_lazy("an IPv4 address"),
    "ipv6": gettext_lazy("an IPv6 address"),
}
# By the keyword of the schema; see `checks.misfits` for the values.
TEXTS: dict[str, Promise] = {
    "type": gettext_lazy("“%(at)s” is %(found)s; it should be %(wanted)s."),
    "enum": gettext_lazy("“%(at)s” is %(found)s; it may only be one of %(wanted)s."),
    "const": gettext_lazy("“%(at)s” is %(found)s; it may only be %(wanted)s."),
    "required": gettext_lazy("“%(key)s” is missing in “%(at)s”."),
    "additionalProperties": gettext_lazy(
        "“%(at)s” has “%(key)s”, which is not among the parameters."
    ),
    "minimum": gettext_lazy("“%(at)s” is %(found)s; it must be at least %(wanted)s."),
    "maximum": gettext_lazy("“%(at)s” is %(found)s; it must be at most %(wanted)s."),
    "exclusiveMinimum": gettext_lazy(
        "“%(at)s” is %(found)s; it must be more than %(wanted)s."
    ),
    "exclusiveMaximum": gettext_lazy(
        "“%(at)s” is %(found)s; it must be less than %(wanted)s."
    ),
    "multipleOf": gettext_lazy(
        "“%(at)s” is %(found)s; it must be a multiple of %(wanted)s."
    ),
    "minLength": gettext_lazy(
        "“%(at)s” is too short. Characters: %(found)s; at least %(wanted)s are needed."
    ),
    "maxLength": gettext_lazy(
        "“%(at)s” is too long. Characters: %(found)s; at most %(wanted)s are allowed."
    ),
    "minItems": gettext_lazy(
        "“%(at)s” is too short. Items: %(found)s; at least %(wanted)s are needed."
    ),
    "maxItems": gettext_lazy(
        "“%(at)s” is too long. Items: %(found)s; at most %(wanted)s are allowed."
    ),
    "minProperties": gettext_lazy(
        "“%(at)s” has too few keys: %(found)s; at least %(wanted)s are needed."
    ),
    "maxProperties": gettext_lazy(
        "“%(at)s” has too many keys: %(found)s; at most %(wanted)s are allowed."
    ),
    "pattern": gettext_lazy(
        "“%(at)s” is %(found)s, which does not fit the pattern %(wanted)s."
    ),
    "format": gettext_lazy("“%(at)s” is %(found)s; it should be %(wanted)s."),
    "uniqueItems": gettext_lazy("The items of “%(at)s” are not all different."),
    "contains": gettext_lazy("“%(at)s” lacks an item that it must have."),
    "anyOf": gettext_lazy("“%(at)s” fits none of the forms that it may have."),
    "oneOf": gettext_lazy(
        "“%(at)s” must fit exactly one of the forms that it may have."
    ),
    "not": gettext_lazy("“%(at)s” has a form that is not allowed."),
}


def why(params: dict[str, Any]) -> str:
    """The sentence; of a keyword without one, what the library says."""
    rule = params.get("rule")
    if rule not in TEXTS:
        return str(params.get("why", ""))
    named = {**params, "at": params.get("at") or "arguments"}
    if rule == "type":
        named["found"] = TYPES.get(params["found"], params["found"])
        named["wanted"] = _either([TYPES.get(w, w) for w in params["wanted"]])
    elif rule == "format":
        named["wanted"] = FORMATS.get(params["wanted"], params["wanted"])
    return str(TEXTS[rule]) % named


def _either(words: list[Any]) -> str:
    """All of them, the last one behind an “or”."""
    *others, last = map(str, words)
    if not others:
        return last
    return _("%(one)s or %(other)s") % {"one": ", ".join(others), "other": last}
