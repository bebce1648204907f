"""What is wrong with a regular expression, in a person's words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasets_app.replacing import LONGEST_PATTERN, BadPattern

_TEXTS = {
    "missing )": gettext_lazy("a “(” is never closed"),
    "unexpected )": gettext_lazy("a “)” closes nothing"),
    "missing ]": gettext_lazy("a “[” is never closed"),
    "missing argument to repetition operator": gettext_lazy(
        "there is nothing to repeat here"
    ),
    "no argument for repetition operator": gettext_lazy(
        "there is nothing to repeat here"
    ),
    "bad repetition operator": gettext_lazy("a repetition cannot be repeated"),
    "invalid repetition size": gettext_lazy(
        "a repetition is from a smaller to a greater number, up to 1,000"
    ),
    "invalid character class range": gettext_lazy("the range runs backwards"),
    "invalid escape sequence": gettext_lazy("this means nothing after a backslash"),
    "invalid perl operator": gettext_lazy(
        "looking ahead or behind, and comments, are not possible here"
    ),
    "trailing \\": gettext_lazy("it ends with a lone backslash"),
    "too_large": gettext_lazy("it is too large; repeat less"),
    "no_such_group": gettext_lazy("the expression has no such group"),
}


def what_is_wrong(error: BadPattern) -> str:
    """With the place, counted in characters from 1."""
    if error.code == "length":
        return _("Write what to find, in up to %(n)s characters.") % {
            "n": LONGEST_PATTERN
        }
    return _("At character %(position)s, “%(fragment)s”: %(reason)s.") % {
        "position": error.position,
        "fragment": error.fragment,
        "reason": _TEXTS.get(error.code, error.code),
    }
