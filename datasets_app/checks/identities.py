"""Is it really one? Numbers with check digits, and what is shown of them instead."""

import re
from datetime import date

_PLACEHOLDER = re.compile(
    r"^(?:your|my|example|sample|test|dummy|none|null|true|false|secret|password"
    r"|changeme|process\.|os\.|env|config|settings|get|input|xxx|\*|\.\.\.|…|\$|%|\[)",
    re.IGNORECASE,
)
_EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net", "example.co.kr")
_RESERVED_ENDINGS = (".example", ".test", ".invalid", ".localhost", ".local")
# From October 2020 on, resident numbers end in chance digits.
_WITHOUT_CHECK_DIGIT = date(2020, 10, 1)


def digits_of(text: str) -> str:
    return "".join(each for each in text if each in "0123456789")


def is_password(text: str) -> bool:
    """Letters and digits or signs together, and no word that stands for one."""
    has_letter = any(each.isalpha() for each in text)
    has_other = any(not each.isalpha() for each in text.rstrip(".,!?"))
    return has_letter and has_other and not _PLACEHOLDER.match(text)


def is_email(text: str) -> bool:
    domain = text.rpartition("@")[2].lower()
    return not domain.endswith(_RESERVED_ENDINGS) and domain not in _EXAMPLE_DOMAINS


def is_phone(text: str) -> bool:
    return 9 <= len(digits_of(text)) <= 15


def is_card(text: str) -> bool:
    """Of a known scheme, and with the right check digit (Luhn)."""
    digits = digits_of(text)
    if digits[0] not in "34569" or len(set(digits)) < 2:
        return False
    doubled = [int(d) * (1 + n % 2) for n, d in enumerate(reversed(digits))]
    return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def is_resident_number(text: str) -> bool:
    digits = digits_of(text)
    born = _birthday(digits)
    if born is None:
        return False
    if born >= _WITHOUT_CHECK_DIGIT and not text.isdecimal():
        return True
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(w * int(d) for w, d in zip(weights, digits, strict=False))
    base = 13 if digits[6] in "5678" else 11  # foreign residents
    return (base - total % 11) % 10 == int(digits[12])


def _birthday(digits: str) -> date | None:
    century = 1900 if digits[6] in "1256" else 2000
    try:
        born = date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None
    return born if born <= date.today() else None


def mask_secret(text: str) -> str:
    """Enough to recognise it by, too little to use it."""
    if text.startswith("-----BEGIN"):
        return "-----BEGIN … KEY-----"
    return f"{text[:4]}…" if len(text) >= 12 else f"{text[:1]}…"


def mask_email(text: str) -> str:
    name, _at, domain = text.rpartition("@")
    return f"{name[:1]}…@{domain}"


def mask_resident_number(text: str) -> str:
    return f"{digits_of(text)[:2]}****-*******"


def mask_digits(text: str) -> str:
    """All digits but the last four are hidden."""
    n_hidden = len(digits_of(text)) - 4
    shown = []
    for each in text:
        if each.isdecimal():
            shown.append("*" if n_hidden > 0 else each)
            n_hidden -= 1
        else:
            shown.append(each)
    return "".join(shown)
