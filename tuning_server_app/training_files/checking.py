"""Checks a file before a model is trained on it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tuning_server_app.training_files.conversations import SUPERVISED
from tuning_server_app.training_files.fitting import (
    UNREADABLE,
    BaseModelReader,
    Fit,
    unfit,
)
from tuning_server_app.training_files.lines import (
    Example,
    FileRefused,
    Lines,
    numbered_lines,
    read_example,
)

MIN_EXAMPLES = 10
SHOWN_PROBLEMS = 5
SHOWN_NUMBERS = 10


@dataclass
class Numbers:
    """Some examples: how many, and the first of them by number."""

    n: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        self.n += 1
        if len(self.first) < SHOWN_NUMBERS:
            self.first.append(number)

    def __str__(self) -> str:
        rest = self.n - len(self.first)
        more = f" and {rest} more" if rest else ""
        return ", ".join(map(str, self.first)) + more


@dataclass
class Checked:
    """A file that can be trained on: the examples that the base model's context cuts,
    and among them those of which no answer is left."""

    n_examples: int = 0
    cut: Numbers = field(default_factory=Numbers)
    left_out: Numbers = field(default_factory=Numbers)

    def add(self, number: int, fit: Fit) -> None:
        if not fit.is_learnt:
            self.left_out.add(number)
        elif fit.is_cut:
            self.cut.add(number)


def check_training_file(
    file: Lines, method: str = SUPERVISED, reader: BaseModelReader | None = None
) -> Checked:
    """Read the whole file.

    Args:
        reader: of the base model to be trained, where it is at hand.

    Raises:
        FileRefused: with the first problems, each by example and message.
    """
    checked = check_validation_file(file, method, reader)
    if checked.n_examples < MIN_EXAMPLES:
        raise FileRefused(
            "invalid_n_examples",
            f"Training file has {checked.n_examples} example(s), but must have at least"
            f" {MIN_EXAMPLES} examples.",
        )
    return checked


def check_validation_file(
    file: Lines, method: str = SUPERVISED, reader: BaseModelReader | None = None
) -> Checked:
    """The same without a smallest number, except that there must be one.

    Raises:
        FileRefused
    """
    checked, problems = Checked(), list[str]()
    for number, line in numbered_lines(file):
        checked.n_examples = number
        example, found = read_example(line, method)
        if reader and not found:
            found = list(_problems_of_fit(number, example, method, reader, checked))
        problems += [f"Example {number}{text}" for text in found]
        if len(problems) > SHOWN_PROBLEMS:
            break
    if problems:
        raise invalid_format(problems)
    if not checked.n_examples:
        raise FileRefused("invalid_n_examples", "The file has no examples.")
    if checked.left_out.n == checked.n_examples:
        raise nothing_to_learn()
    return checked


def invalid_format(problems: list[str]) -> FileRefused:
    more = " There are more." if len(problems) > SHOWN_PROBLEMS else ""
    return FileRefused(
        "invalid_file_format",
        f"The file format is invalid. {' '.join(problems[:SHOWN_PROBLEMS])}{more}",
    )


def nothing_to_learn() -> FileRefused:
    return FileRefused(
        "invalid_training_file",
        "No example has an answer that the base model could learn: each is cut, at what"
        " the model reads, before its answer begins. Shorten the examples, or choose a"
        " base model that reads more.",
    )


def _problems_of_fit(
    number: int,
    example: Example,
    method: str,
    reader: BaseModelReader,
    checked: Checked,
) -> Iterator[str]:
    try:
        checked.add(number, reader.fit(example, method))
    except UNREADABLE as error:
        yield unfit(error)
