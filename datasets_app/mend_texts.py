"""What the buttons say that mend findings."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# mend → (of one row, of all rows that have the finding)
TEXTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "strip_tokens": (_("Take the token out"), _("Take the tokens out of all")),
    "trim_answers": (_("Trim the answer"), _("Trim all answers")),
    "drop_empty": (_("Drop the empty message"), _("Drop all empty messages")),
    "learn_last_answer": (
        _("Learn the last answer"),
        _("Learn the last answer of each"),
    ),
    "drop_wrong_weights": (_("Remove the weight"), _("Remove all these weights")),
    "drop_unknown_keys": (_("Remove the key"), _("Remove all these keys")),
    "end_with_answer": (
        _("Cut what follows the last answer"),
        _("Cut what follows the last answer in all"),
    ),
    **dict.fromkeys(
        (
            "mask_secret",
            "mask_email",
            "mask_phone",
            "mask_resident_number",
            "mask_card_number",
        ),
        (_("Replace by a placeholder"), _("Replace all by placeholders")),
    ),
    "remove": (_("Remove this copy"), _("Remove all copies")),
    "to_training": (_("Move to training"), _("Move all to training")),
}
