"""What the checks and the report know of a row, so that its text is read only once."""

import hashlib
from dataclasses import dataclass
from typing import Any

from datasets_app import exact_json
from datasets_app.chat_format import texts_of
from datasets_app.checks.languages import CHINESE, JAPANESE, language_of
from datasets_app.checks.signatures import (
    READ_CHARACTERS,
    Shingles,
    normal,
    shingles_of,
)

HASH_DIGITS = 16
START_WORDS = 3
START_CHARACTERS = 100
# Chinese and Japanese put no spaces between words: this many characters are a start.
START_WITHOUT_SPACES = 6
INSTRUCTING = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class Features:
    """Lengths are in characters, hashes the first 16 hex digits of a SHA-256.

    The prompt is all that stands before the last answer, but `prompt_length` and the
    shingles leave the system prompt out: rows are not alike for sharing one. Rows
    without an answer have "" for its hash, start and language.
    """

    prompt_hash: str
    answer_hash: str
    system_hash: str
    prompt_language: str
    language: str
    n_turns: int
    prompt_length: int
    answer_length: int
    answer_start: str
    shingles: Shingles


def features_of(record: dict[str, Any]) -> Features:
    """Of any record, even one that is no proper chat.

    Args:
        record: `messages`, perhaps `tools`, and `preferred_output` of a DPO row.
    """
    prompt, answers = prompt_and_answer(record)
    asked = _without_system(prompt)
    question = _said([m for m in asked if role_of(m) == "user"][-1:])
    prompt_text, answer = _said(asked), _said(answers)
    language = language_of(answer) if answers else ""
    return Features(
        prompt_hash=_hash(_prompt_key(prompt, record.get("tools"))),
        answer_hash=_hash(answer.strip()) if answers else "",
        system_hash=_system_hash(prompt),
        prompt_language=language_of(question or prompt_text),
        language=language,
        n_turns=sum(role_of(m) == "user" for m in prompt),
        prompt_length=len(prompt_text),
        answer_length=len(answer),
        answer_start=start_of(answer, language),
        shingles=_shingles(prompt_text, answer),
    )


def compared_shingles(record: dict[str, Any]) -> Shingles:
    """What two rows are compared by: all but the system prompt."""
    prompt, answers = prompt_and_answer(record)
    return _shingles(_said(_without_system(prompt)), _said(answers))


def prompt_and_answer(
    record: dict[str, Any],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The messages before the answer, and the answer: one message, or none."""
    messages = _dicts(record.get("messages"))
    if preferred := _dicts(record.get("preferred_output")):
        return messages, preferred
    if messages and role_of(messages[-1]) == "assistant":
        return messages[:-1], messages[-1:]
    return messages, []


def _without_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [m for m in messages if role_of(m) not in INSTRUCTING]


def _shingles(prompt: str, answer: str) -> Shingles:
    return shingles_of(normal(f"{prompt}\n{answer}"[:READ_CHARACTERS]))


def start_of(answer: str, language: str) -> str:
    """The first three words of an answer, fit for a column of text."""
    words = answer[:1_000].replace("\x00", "").split(maxsplit=START_WORDS)
    start = " ".join(words[:START_WORDS])
    if language in (CHINESE, JAPANESE):
        return start[:START_WITHOUT_SPACES]
    return start[:START_CHARACTERS]


def role_of(message: dict[str, Any]) -> str:
    return str(message.get("role"))


def _dicts(values: Any) -> list[dict[str, Any]]:
    return (
        [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
    )


def _said(messages: list[dict[str, Any]]) -> str:
    return "\n".join(text for message in messages for text in texts_of(message))


def _system_hash(prompt: list[dict[str, Any]]) -> str:
    text = _said([m for m in prompt if role_of(m) in INSTRUCTING]).strip()
    return _hash(text) if text else ""


def _prompt_key(prompt: list[dict[str, Any]], tools: Any) -> str:
    """The same for prompts that differ in case and spacing alone."""
    parts = [part for message in prompt for part in _key_parts(message)]
    return "\x1f".join([*parts, "" if tools is None else exact_json.dumps(tools)])


def _key_parts(message: dict[str, Any]) -> tuple[str, str]:
    content = message.get("content")
    if isinstance(content, str) and len(message) == 2:
        return role_of(message), normal(content)
    return role_of(message), exact_json.dumps(message)  # images, calls


def _hash(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]
