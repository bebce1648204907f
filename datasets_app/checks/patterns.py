"""Secrets and personal data in texts, told by their form.

Texts are hostile, so every expression runs in RE2, whose time is linear in the text;
one pass over a row says which expressions need a closer look.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from datasets_app.checks import identities

MAX_MATCHES = 50  # of one kind in one text


@dataclass(frozen=True, slots=True)
class Kind:
    """One form of data: `code` is the finding's, `name` says it more exactly.

    Of a match only the group 1 counts, where the expression has one.
    """

    code: str
    name: str
    expression: str
    is_real: Callable[[str], bool] = bool
    mask: Callable[[str], str] = identities.mask_secret
    placeholder: str = "[SECRET]"


@dataclass(frozen=True, slots=True)
class Match:
    kind: Kind
    start: int
    end: int
    text: str

    @property
    def masked(self) -> str:
        return self.kind.mask(self.text)


def _secrets() -> Iterator[Kind]:
    for name, expression in (
        ("OpenAI", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
        ("Anthropic", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
        ("AWS", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("GitHub", r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})"),
        ("GitLab", r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("Google", r"\bAIza[A-Za-z0-9_-]{35}"),
        ("Slack", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("Slack", r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,}"),
        ("Stripe", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
        ("Hugging Face", r"\bhf_[A-Za-z0-9]{30,}"),
        ("npm", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("PyPI", r"\bpypi-[A-Za-z0-9_-]{50,}"),
        ("SendGrid", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
        ("Telegram", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
        ("Azure", r"\bAccountKey=[A-Za-z0-9+/]{40,}=*"),
        ("JWT", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
        (
            "private key",
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*KEY-----)?",
        ),
        ("address with password", r"\b[a-z][a-z0-9+]*://[^\s/:@]*:([^\s/:@]{3,})@"),
    ):
        yield Kind("secret", name, expression)
    yield Kind(
        "secret",
        "password",
        r"(?i)(?:\b(?:password|passwd|pwd|api[_-]?key|secret[_-]?key|access[_-]?token"
        r"|auth[_-]?token|client[_-]?secret)|비밀번호|패스워드|암호)"
        r"[\"']?\s*(?:[:=]|은|는|：)\s*[\"']?([^\s\"',;<>{}()\[\]]{6,})",
        identities.is_password,
    )


KINDS: tuple[Kind, ...] = (
    *_secrets(),
    Kind(
        "email",
        "e-mail",
        r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b",
        identities.is_email,
        identities.mask_email,
        "[EMAIL]",
    ),
    Kind(
        "resident_number",
        "Korean resident number",
        r"\b\d{6} ?- ?[1-8]\d{6}\b|\b\d{6}[1-8]\d{6}\b",
        identities.is_resident_number,
        identities.mask_resident_number,
        "[RESIDENT NUMBER]",
    ),
    Kind(
        "card_number",
        "card",
        r"\b\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}\b|\b\d{4}[ -]\d{6}[ -]\d{5}\b"
        r"|\b\d{13,19}\b",
        identities.is_card,
        identities.mask_digits,
        "[CARD NUMBER]",
    ),
    Kind(
        "phone",
        "phone",
        r"\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,4}\)?){2,5}\b"
        r"|\b01[016789][ .-]?\d{3,4}[ .-]?\d{4}\b"
        r"|\b0(?:2|3[1-3]|4[1-4]|5[0-5]|6[1-4]|70)[).-] ?\d{3,4}[ .-]\d{4}\b"
        r"|\(?\b[2-9]\d{2}\)?[ .-][2-9]\d{2}[.-]\d{4}\b",
        identities.is_phone,
        identities.mask_digits,
        "[PHONE]",
    ),
)


@cache
def _compiled() -> tuple[Any, tuple[Any, ...]]:
    together = re2.Set.SearchSet()
    for kind in KINDS:
        together.Add(kind.expression)
    together.Compile()
    return together, tuple(re2.compile(kind.expression) for kind in KINDS)


def kinds_in(text: str) -> list[int]:
    """Which of KINDS may be in the text, by number: quick, and never too few."""
    return sorted(_compiled()[0].Match(_storable(text)) or ())


def matches(text: str, numbers: list[int]) -> list[Match]:
    """What is really there of these kinds, in reading order and without overlaps."""
    found = [match for n in numbers for match in _of_kind(n, _storable(text))]
    found.sort(key=lambda match: (match.start, -match.end))
    kept: list[Match] = []
    for match in found:
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
    return kept


def _of_kind(number: int, text: str) -> Iterator[Match]:
    kind, expression = KINDS[number], _compiled()[1][number]
    for n_seen, match in enumerate(expression.finditer(text)):
        if n_seen == MAX_MATCHES:
            return
        group = 1 if expression.groups else 0
        said = match.group(group)
        if said and kind.is_real(said):
            yield Match(kind, match.start(group), match.end(group), said)


def replace(text: str, codes: frozenset[str]) -> str:
    """The text with a placeholder for whatever of these codes is in it."""
    numbers = [n for n in kinds_in(text) if KINDS[n].code in codes]
    while found := matches(text, numbers):
        text = _with(text, [(match, match.kind.placeholder) for match in found])
    return text


def masked(text: str) -> str:
    """A short text as it may be shown: whatever is private in it is hidden."""
    return _with(text, [(m, m.masked) for m in matches(text, kinds_in(text))])


def _with(text: str, replaced: list[tuple[Match, str]]) -> str:
    parts, end = [], 0
    for match, instead in replaced:
        parts += [text[end : match.start], instead]
        end = match.end
    return "".join([*parts, text[end:]])


def _storable(text: str) -> str:
    """RE2 reads UTF-8, which has no lone surrogates; nor has the database."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
