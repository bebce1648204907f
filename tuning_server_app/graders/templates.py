"""`{{ item.answer }}` and `{{ sample.output_text }}` in the texts of a grader."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson

VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
# Two texts of this length are compared in a tenth of a second.
MAX_TEXT = 100_000


class UnknownVariable(Exception):
    """A variable names nothing that is there."""


class SampleNotJson(Exception):
    """`sample.output_json` is used, but the answer is no JSON."""


class Namespace:
    """What the variables of a grader's texts stand for.

    `is_cut` tells that a text became too long, and was cut at its end.
    """

    def __init__(self, model_sample: str, item: dict[str, Any]) -> None:
        self._sample = model_sample
        self._item = item
        self.is_cut = False

    def fill(self, text: str) -> str:
        """The text with its variables' values.

        Raises:
            UnknownVariable
            SampleNotJson
        """
        pieces, length, end = [], 0, 0
        for match in VARIABLE.finditer(text):
            pieces += [text[end : match.start()], self._value(match[1])]
            length, end = length + len(pieces[-2]) + len(pieces[-1]), match.end()
            if length > MAX_TEXT:
                break
        filled = "".join([*pieces, text[end:]])
        self.is_cut = self.is_cut or len(filled) > MAX_TEXT
        return filled[:MAX_TEXT]

    def _value(self, path: str) -> str:
        root, *names = path.split(".")
        found: Any = {"item": self._item, "sample": None}.get(root)
        if root == "sample" and names:
            found = self._of_sample(names.pop(0))
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        if found is None:
            raise UnknownVariable(path)
        if isinstance(found, str):
            return found
        try:
            return orjson.dumps(found).decode()
        except orjson.JSONEncodeError as error:  # read, but too deep to be written
            raise SampleNotJson from error

    def _of_sample(self, name: str) -> Any:
        values: dict[str, Callable[[], Any]] = {
            "output_text": lambda: self._sample,
            "output_json": lambda: self._parsed,
        }
        return values[name]() if name in values else None

    @cached_property
    def _parsed(self) -> Any:
        try:
            return orjson.loads(self._sample)
        except orjson.JSONDecodeError as error:
            raise SampleNotJson from error
