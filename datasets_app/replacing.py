"""Find and replace in a conversation: text as it stands, or a regular expression.

RE2 finds: its time grows with the text only, whatever the expression. What one row may
take is bounded nevertheless: a text is searched again behind each of its matches.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

LONGEST_PATTERN = 1_000
LONGEST_ROW = 2_000_000  # characters of text that replacing may leave in a row
LONGEST_NUMBER = 5  # of a group; there are less than a pattern has characters
SECONDS_A_ROW = 2.0
TEXT, ARGUMENTS = "text", "arguments"
FIELDS = (TEXT, ARGUMENTS)

_TEMPLATE = re.compile(r"\\(?:g<(?P<name>\w+)>|(?P<number>[0-9])|(?P<other>.))", re.S)
_ESCAPED = {"n": "\n", "t": "\t", "\\": "\\"}


class BadPattern(ValueError):
    """`code` names what is wrong, `fragment` is where; `position` counts from 1."""

    def __init__(self, code: str, fragment: str, position: int) -> None:
        super().__init__(f"{code}: {fragment}")
        self.code, self.fragment, self.position = code, fragment, position


class TooMuch(ValueError):
    """A row would become too long, or takes too long."""


class _Budget:
    """What replacing in one row may still take. It is asked before memory is."""

    def __init__(self) -> None:
        self.until = time.monotonic() + SECONDS_A_ROW
        self.n_left = LONGEST_ROW

    def spend(self, n_characters: int) -> None:
        self.n_left -= n_characters
        if self.n_left < 0 or time.monotonic() > self.until:
            raise TooMuch


@lru_cache(maxsize=16)
def _compiled(find: str, is_regex: bool, ignore_case: bool) -> Any:
    """Kept: a bulk edit asks for every row. Raises BadPattern."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 4 << 20
    options.case_sensitive = not ignore_case
    options.literal = not is_regex
    try:
        return re2.compile(find, options)
    except re2.error as exc:
        raise _bad_pattern(find, exc) from exc


@dataclass(frozen=True)
class Replacing:
    """What to find, what to put in its place, and where to look.

    `roles` and `fields` are empty where any is meant. In the replacement of a regular
    expression \\1 and \\g<name> are its groups, \\n a new line and \\\\ a backslash.
    """

    find: str
    replace: str = ""
    is_regex: bool = False
    ignore_case: bool = False
    roles: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset({TEXT})

    def check(self) -> None:
        """Raises BadPattern."""
        if not self.find or len(self.find) > LONGEST_PATTERN:
            raise BadPattern("length", self.find[:20], 1)
        if self.is_regex and self._regex:
            self._template(lambda _group: "")

    @property
    def _regex(self) -> Any:
        return _compiled(self.find, self.is_regex, self.ignore_case)

    def _template(self, group: Callable[[Any], str | None]) -> str:
        """The replacement, with the groups of one match."""
        if not self.is_regex:
            return self.replace
        return _TEMPLATE.sub(lambda found: self._piece(found, group), self.replace)

    def _piece(self, found: re.Match[str], group: Callable[[Any], str | None]) -> str:
        name, number, other = found["name"], found["number"], found["other"]
        if other is not None:
            return _ESCAPED.get(other, found[0])
        key: Any = int(number) if number else name
        if isinstance(key, str) and key.isdecimal() and len(key) < LONGEST_NUMBER:
            key = int(key)
        is_known = (
            key <= self._regex.groups
            if isinstance(key, int)
            else key in self._regex.groupindex
        )
        if not is_known:
            raise BadPattern("no_such_group", found[0], found.start() + 1)
        return group(key) or ""

    def in_text(self, text: str, budget: _Budget | None = None) -> str:
        """The text with every match replaced. Raises TooMuch."""
        budget = budget or _Budget()
        if not self.is_regex and not self.ignore_case:
            return self._without_regex(text, budget)
        pieces: list[str] = []
        end = 0
        for match in self._regex.finditer(text):
            piece = text[end : match.start()] + self._filled(match, budget)
            pieces.append(piece)
            budget.spend(len(piece))
            end = match.end()
        return "".join([*pieces, text[end:]]) if pieces else text

    def _without_regex(self, text: str, budget: _Budget) -> str:
        n_found = text.count(self.find)
        if not n_found:
            return text
        budget.spend(len(text) + n_found * (len(self.replace) - len(self.find)))
        return text.replace(self.find, self.replace)

    def _filled(self, match: Any, budget: _Budget) -> str:
        """The template may name a long group again and again."""
        n_characters = 0

        def group(key: Any) -> str:
            nonlocal n_characters
            value = match.group(key) or ""
            n_characters += len(value)
            if n_characters > budget.n_left:
                raise TooMuch
            return value

        return self._template(group)

    def in_messages(self, messages: Any) -> Any:
        """The same object if nothing is found, else new messages. Raises TooMuch."""
        if not isinstance(messages, list):
            return messages
        budget = _Budget()
        replaced = [self._in_message(each, budget) for each in messages]
        if all(new is old for new, old in zip(replaced, messages, strict=True)):
            return messages
        if _length(replaced) > LONGEST_ROW:
            raise TooMuch
        return replaced

    def _in_message(self, message: Any, budget: _Budget) -> Any:
        if not isinstance(message, dict):
            return message
        if self.roles and message.get("role") not in self.roles:
            return message
        new = dict(message)
        if TEXT in self.fields:
            new["content"] = self._in_content(message.get("content"), budget)
        if ARGUMENTS in self.fields:
            new |= self._in_calls(message, budget)
        return new if any(new[k] is not message.get(k) for k in new) else message

    def _in_content(self, content: Any, budget: _Budget) -> Any:
        if isinstance(content, str):
            return self._changed(content, budget)
        if not isinstance(content, list):
            return content
        parts = [self._in_keys(part, ("text",), budget) for part in content]
        same = all(new is old for new, old in zip(parts, content, strict=True))
        return content if same else parts

    def _in_calls(self, message: dict[str, Any], budget: _Budget) -> dict[str, Any]:
        found: dict[str, Any] = {}
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            new = [self._in_call(call, budget) for call in calls]
            same = all(a is b for a, b in zip(new, calls, strict=True))
            found["tool_calls"] = calls if same else new
        if "function_call" in message:
            call = message["function_call"]
            found["function_call"] = self._in_keys(call, ("arguments",), budget)
        return found

    def _in_call(self, call: Any, budget: _Budget) -> Any:
        if not isinstance(call, dict):
            return call
        function = self._in_keys(call.get("function"), ("arguments",), budget)
        same = function is call.get("function")
        return call if same else {**call, "function": function}

    def _in_keys(self, value: Any, keys: tuple[str, ...], budget: _Budget) -> Any:
        if not isinstance(value, dict):
            return value
        new = {
            key: self._changed(value[key], budget)
            for key in keys
            if isinstance(value.get(key), str)
        }
        return value if all(new[k] is value[k] for k in new) else {**value, **new}

    def _changed(self, text: str, budget: _Budget) -> str:
        new = self.in_text(text, budget)
        return text if new == text else new


def _length(messages: list[Any]) -> int:
    return sum(
        len(part) if isinstance(part, str) else len(str(part))
        for message in messages
        if isinstance(message, dict)
        for part in message.values()
    )


def _bad_pattern(pattern: str, error: Any) -> BadPattern:
    """RE2 says what is wrong and quotes where: "missing ): (abc"."""
    raw = error.args[0] if error.args else b""
    said = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
    what, _colon, fragment = said.partition(": ")
    if what.startswith("pattern too large"):
        return BadPattern("too_large", "", 1)
    if what == "missing )":  # RE2 quotes the whole pattern
        at = _never_closed(pattern)
        fragment = pattern[at : at + 20]
    else:
        at = pattern.rfind(fragment) if fragment else 0
    return BadPattern(what, fragment, max(at, 0) + 1)


def _never_closed(pattern: str) -> int:
    opened: list[int] = []
    for found in re.finditer(r"\\.|\[\^?\]?[^\]]*\]|[()]", pattern, re.S):
        if found[0] == "(":
            opened.append(found.start())
        elif found[0] == ")" and opened:
            opened.pop()
    return opened[-1] if opened else 0
