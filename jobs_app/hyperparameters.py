"""What a job may be asked for: the ranges of OpenAI's fine-tuning API."""

import math
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from datasets_app.chat_format import MINIMUM_ROWS as MIN_TRAINING_ROWS

AUTO = "auto"
INTEGER_RANGES = {"n_epochs": (1, 50), "batch_size": (1, 256)}
LEARNING_RATE = "learning_rate_multiplier"
KNOWN = (*INTEGER_RANGES, LEARNING_RATE)
MAX_SUFFIX_LENGTH = 64
MAX_SEED = 2_147_483_647


def check_hyperparameters(given: Any) -> None:
    """Raise one ValidationError that names every wrong value and what it may be."""
    if not isinstance(given, dict):
        raise ValidationError(
            _('Hyperparameters are a JSON object, such as {"n_epochs": 3}.')
        )
    problems = [text for item in given.items() if (text := _problem(*item))]
    if problems:
        raise ValidationError(problems)


def _problem(name: str, value: Any) -> str:
    if name not in KNOWN:
        return _("“%(name)s” is no hyperparameter; known are %(known)s.") % {
            "name": name,
            "known": ", ".join(KNOWN),
        }
    if value == AUTO:
        return ""
    if name == LEARNING_RATE:
        return _learning_rate_problem(value)
    low, high = INTEGER_RANGES[name]
    if type(value) is int and low <= value <= high:
        return ""
    return _("%(name)s is “auto” or a whole number from %(low)d to %(high)d.") % {
        "name": name,
        "low": low,
        "high": high,
    }


def _learning_rate_problem(value: Any) -> str:
    # No isfinite: it fails for a whole number that is longer than any float.
    if type(value) in (int, float) and 0 < value < math.inf:
        return ""
    return _("%(name)s is “auto” or a number above 0.") % {"name": LEARNING_RATE}


def check_suffix(suffix: str) -> None:
    if len(suffix) > MAX_SUFFIX_LENGTH:
        raise ValidationError(
            _("A suffix has at most %d characters.") % MAX_SUFFIX_LENGTH
        )
    if any(c in ":/" or c.isspace() or not c.isprintable() for c in suffix):
        raise ValidationError(
            _("A suffix becomes part of the model's name: no spaces, “:” or “/”.")
        )


def check_seed(seed: int) -> None:
    if not 0 <= seed <= MAX_SEED:
        raise ValidationError(_("A seed is a whole number from 0 to %d.") % MAX_SEED)


def check_enough_rows(n_training_rows: int) -> None:
    if n_training_rows < MIN_TRAINING_ROWS:
        raise ValidationError(
            _(
                "This version has %(n)d training rows; a fine-tuning job needs at "
                "least %(least)d. Add examples to the dataset and freeze it again."
            )
            % {"n": n_training_rows, "least": MIN_TRAINING_ROWS}
        )
