"""The words for what `balance.warnings` found, and for the parts of its report."""

from typing import Any

from django.utils.translation import gettext_lazy as _

PARTS = {
    "tag": _("Tags"),
    "language": _("Languages"),
    "system_prompt": _("System prompts"),
    "turns": _("Questions in a conversation"),
    "answer_start": _("First words of the answers"),
    "answer": _("Most repeated answers"),
    "prompt_length": _("Length of the questions, in characters"),
    "answer_length": _("Length of the answers, in characters"),
    "tokens": _("Length of the rows, in tokens"),
}

WARNINGS = {
    "few_rows": _(
        "There are %(n)s training rows. An effect can be expected from about "
        "%(advice)s on; collect more, and more varied ones."
    ),
    "no_validation": _(
        "No row is kept for validation, so that nobody will see when the model only "
        "repeats what it has read. Split the dataset."
    ),
    "near_duplicates": _(
        "%(percent)s %% of the rows are nearly the same as another one. They weigh "
        "more than you may want; keep the best of each group."
    ),
    "same_start": _(
        "%(percent)s %% of the answers begin with the same words: “%(value)s”. The "
        "model will begin nearly every answer so."
    ),
    "same_answer": _(
        "%(percent)s %% of the rows have one and the same answer: “%(value)s”. The "
        "model will give it to questions it does not fit."
    ),
    "one_tag": _(
        "%(percent)s %% of the rows have the tag “%(value)s”. What the others teach "
        "may be drowned out."
    ),
    "one_length": _(
        "%(percent)s %% of the answers are %(value)s characters long. The model will "
        "answer at that length whatever is asked."
    ),
    "some_without_system": _(
        "%(percent)s %% of the rows have no system prompt and the others do. Give "
        "every row the prompt that the model will be used with."
    ),
    "rare_language": _(
        "Only %(percent)s %% of the rows are in the language “%(value)s”: too few for "
        "the model to keep it well, enough to mix the languages up."
    ),
    "one_question_each": _(
        "Every conversation has one question and one answer. Add some that go on, if "
        "the assistant shall follow up."
    ),
    "other_mixture": _(
        "“%(value)s” makes %(train)s %% of the training rows and %(validation)s %% of "
        "the validation rows. Split the dataset anew, or the validation loss will "
        "tell of something else."
    ),
}


def describe(code: str, params: dict[str, Any]) -> str:
    return str(WARNINGS[code]) % params
