"""What each finding of a check is, why it matters and how to mend it."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from datasets_app import problem_texts, schema_texts
from datasets_app.checks.codes import is_structure

Text = str | Promise

STRUCTURE_MATTERS = _(
    "Providers refuse the whole file for one such row, often only after an hour in the "
    "queue. A version leaves the row out."
)
_LEAKS = _(
    "A trained model may repeat it to whoever asks, and the provider gets the file."
)
_SHOWN_IN_TRAINING = _(
    "The validation loss is then low because the answer is known by heart, not because "
    "the model has learnt anything."
)


@dataclass(frozen=True, slots=True)
class Words:
    """`general` is the heading for all rows; `here` says it of one, with its values."""

    general: Text
    here: Text
    why: Text
    mend: Text


TEXTS: dict[str, Words] = {
    "every_weight_zero": Words(
        _("No answer of the row is to be learnt."),
        _("Every message of the assistant has weight 0."),
        _("The row teaches nothing; providers refuse it."),
        _("Give the last answer weight 1, or no weight."),
    ),
    "undefined_tool": Words(
        _("A tool is called that the row does not define."),
        _("“%(name)s” is called, but is not among the row's tools."),
        _(
            "The model learns to call what it was not offered; in use it will call "
            "tools that do not exist."
        ),
        _("Add the tool's definition to the row, or correct the name."),
    ),
    "arguments_break_schema": Words(
        _("The arguments of a call do not fit the tool's parameters."),
        _("The arguments of “%(name)s” do not fit its parameters: %(why)s"),
        _("The model learns calls that your program will not be able to answer."),
        _("Correct the arguments, or the tool's definition."),
    ),
    "broken_tool_schema": Words(
        _("The parameters of a tool are no JSON Schema."),
        _("The parameters of “%(name)s” are no JSON Schema."),
        _("Providers refuse such a definition, and its calls cannot be checked."),
        _('Write an object like {"type": "object", "properties": {...}}.'),
    ),
    "secret": Words(
        _("There is a key or a password in the text."),
        _("The text has what looks like a secret (%(kind)s): %(masked)s"),
        _LEAKS,
        _("Replace it by a placeholder, and make the real one invalid."),
    ),
    "resident_number": Words(
        _("There is a Korean resident number in the text."),
        _("The text has a resident number: %(masked)s"),
        _LEAKS,
        _("Replace it by a placeholder."),
    ),
    "card_number": Words(
        _("There is a card number in the text."),
        _("The text has a card number: %(masked)s"),
        _LEAKS,
        _("Replace it by a placeholder."),
    ),
    "email": Words(
        _("There is an e-mail address in the text."),
        _("The text has an e-mail address: %(masked)s"),
        _LEAKS,
        _("Replace it by a placeholder, unless everybody may know it."),
    ),
    "phone": Words(
        _("There is a phone number in the text."),
        _("The text has a phone number: %(masked)s"),
        _LEAKS,
        _("Replace it by a placeholder, unless everybody may know it."),
    ),
    "untrimmed_answer": Words(
        _("An answer begins or ends with blanks."),
        _("The answer begins or ends with blanks or empty lines."),
        _("The model learns to write them as well."),
        _("Remove the blanks around the answer."),
    ),
    "mixed_languages": Words(
        _("Question and answer are in two languages."),
        _("The question is in %(asked)s, the answer in %(answered)s."),
        _(
            "The model learns to answer in another language than it was asked in. In a "
            "translator's dataset that is as it should be."
        ),
        _("Answer in the language of the question, or leave it."),
    ),
    "too_few_rows": Words(
        _("There are too few training rows."),
        _("There are %(n)s training rows that a version would take."),
        _("OpenAI and others refuse a file of fewer than 10 rows."),
        _("Add examples; 50 to 100 good ones are a start."),
    ),
    "too_long_for_model": Words(
        _("The row is longer than the model reads in training."),
        _("The row has %(n)s tokens; the model reads %(limit)s."),
        _("What is beyond is cut off silently: the end of the answer is never learnt."),
        _("Shorten the row, split it in two, or choose a model that reads more."),
    ),
    "exact_duplicate": Words(
        _("The row is there more than once."),
        _("The row says the same as another one."),
        _("A repeated row counts double: the model learns it by heart."),
        _("Keep one of them."),
    ),
    "near_duplicate": Words(
        _("The row is nearly the same as another one."),
        _("At least 85 %% of its text is the same as that of another row."),
        _("Rows that are nearly the same count several times and make a model stiff."),
        _("Keep the best of them, or make them differ more."),
    ),
    "contradiction": Words(
        _("The same question has different answers."),
        _("The same prompt has %(n)s different answers in this dataset."),
        _("The model learns to guess between them."),
        _("Keep the right answer, or make the questions differ."),
    ),
    "overlap_exact": Words(
        _("A validation row is in the training part as well."),
        _("This validation row is in the training part as well."),
        _SHOWN_IN_TRAINING,
        _("Remove the validation row, or move it to the training part."),
    ),
    "overlap_near": Words(
        _("A validation row is nearly the same as a training row."),
        _("This validation row is nearly the same as a training row."),
        _SHOWN_IN_TRAINING,
        _("Move it to the training part, or split the dataset anew."),
    ),
}

LANGUAGES: dict[str, Text] = {
    "ko": _("Korean"),
    "en": _("English"),
    "ja": _("Japanese"),
    "zh": _("Chinese"),
    "other": _("another language"),
}


def in_general(code: str) -> str:
    """What is wrong, for all rows that have this finding."""
    return (
        problem_texts.in_general(code)
        if is_structure(code)
        else str(TEXTS[code].general)
    )


def what_is_wrong(code: str, params: dict[str, Any]) -> str:
    if is_structure(code):
        return problem_texts.what_is_wrong(code, params)
    named = {
        key: LANGUAGES.get(value, value) if key in ("asked", "answered") else value
        for key, value in params.items()
    }
    if code == "arguments_break_schema":
        named["why"] = schema_texts.why(params)
    return str(TEXTS[code].here) % named


def why_it_matters(code: str) -> str:
    return str(STRUCTURE_MATTERS if is_structure(code) else TEXTS[code].why)


def how_to_mend(code: str) -> str:
    if is_structure(code):
        return problem_texts.how_to_mend(code)
    return str(TEXTS[code].mend)
