"""What may be wrong with one row beyond its structure."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from datasets_app.chat_format import all_messages, texts_of
from datasets_app.checks import patterns
from datasets_app.checks.arguments import argument_problems
from datasets_app.checks.features import Features, prompt_and_answer, role_of
from datasets_app.jsonl import Problem

MAX_FINDINGS_PER_ROW = 20


def row_findings(record: dict[str, Any], features: Features) -> list[Problem]:
    """All that a careful reader would remark, at most MAX_FINDINGS_PER_ROW of it."""
    found = [
        *_weight_findings(record),
        *argument_problems(record),
        *_private_findings(record),
        *_answer_findings(record),
        *_language_findings(features),
    ]
    return found[:MAX_FINDINGS_PER_ROW]


def _weight_findings(record: dict[str, Any]) -> Iterator[Problem]:
    prompt, answers = prompt_and_answer(record)
    answers = [m for m in (*prompt, *answers) if role_of(m) == "assistant"]
    if answers and all(
        type(m.get("weight")) is int and m["weight"] == 0 for m in answers
    ):
        yield Problem("every_weight_zero")


def _private_findings(record: dict[str, Any]) -> Iterator[Problem]:
    """One finding for each kind in each message, showing the first, masked."""
    texts: list[tuple[int | None, str]] = [
        (index, text)
        for index, message in _numbered(record)
        for text in texts_of(message)
    ]
    texts += [(None, text) for text in strings_in(record.get("extra"))]
    suspected = patterns.kinds_in("\n".join(text for _index, text in texts))
    if not suspected:
        return
    for index, said in groupby(texts, key=lambda pair: pair[0]):
        first: dict[tuple[str, str], str] = {}
        for _index, text in said:
            for match in patterns.matches(text, suspected):
                first.setdefault((match.kind.code, match.kind.name), match.masked)
        for (code, name), masked in first.items():
            yield Problem(code, index, {"kind": name, "masked": masked[:100]})


def _answer_findings(record: dict[str, Any]) -> Iterator[Problem]:
    for index, message in _numbered(record):
        content = message.get("content")
        if (
            role_of(message) == "assistant"
            and isinstance(content, str)
            and content.strip()
            and (content[0].isspace() or content[-1].isspace())
        ):
            yield Problem("untrimmed_answer", index)


def _language_findings(features: Features) -> Iterator[Problem]:
    asked, answered = features.prompt_language, features.language
    if asked and answered and asked != answered:
        yield Problem("mixed_languages", None, {"asked": asked, "answered": answered})


def _numbered(record: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Messages counted from 1, a DPO row's outputs behind the others."""
    for index, message in enumerate(_listed(all_messages(record)), start=1):
        if isinstance(message, dict):
            yield index, message


def strings_in(value: Any) -> Iterator[str]:
    """All texts of a JSON value, however deep; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_in(each)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
