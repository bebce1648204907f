"""What a worker stored, in the language of whoever reads it.

A worker serves nobody in particular, so it stores its sentences in English. Each was
made from a template of ours, and templates are the keys of the catalog: the sentence
finds its way back to one. What is no whole sentence is too easily mistaken for another
and is looked for only among the `fragments` that a caller names.
"""

import re
from collections.abc import Iterator
from functools import cache

from django.utils.translation import get_language, gettext
from django.utils.translation.trans_real import translation

PLACE = re.compile(r"%\((\w+)\)[ds]")
SENTENCE = re.compile(r"\.(\s|$)")
MAX_DEPTH = 3  # a sentence within a sentence within parentheses
LONGEST = 1000  # no sentence of ours comes near it


def retold(text: str, fragments: tuple[str, ...] = (), depth: int = MAX_DEPTH) -> str:
    """`text` translated; what is not known stays as it is."""
    if depth == 0 or len(text) > LONGEST:
        return text
    if (whole := gettext(text)) != text:
        return whole
    if text.startswith("(") and text.endswith(")"):
        return f"({retold(text[1:-1], fragments, depth - 1)})"
    for pattern, template in _patterns(get_language() or "en", fragments):
        if found := pattern.fullmatch(text):
            values = found.groupdict().items()
            return template % {n: retold(v, fragments, depth - 1) for n, v in values}
    return _in_two(text, fragments, depth)


def _in_two(text: str, fragments: tuple[str, ...], depth: int) -> str:
    """Something, and behind it a whole sentence of ours: what happened, and advice."""
    for end in SENTENCE.finditer(text):
        tail = text[end.end() :]
        if (told := gettext(tail)) != tail:
            head = text[: end.start() + 1]
            return f"{retold(head, fragments, depth - 1)} {told}"
    return text


@cache
def _patterns(
    language: str, fragments: tuple[str, ...]
) -> list[tuple[re.Pattern[str], str]]:
    """Longest first: the template that says most of a sentence gets it."""
    templates = {**dict(_sentences(language)), **{f: gettext(f) for f in fragments}}
    longest_first = sorted(templates, key=lambda m: len(PLACE.sub("", m)), reverse=True)
    return [
        (_pattern(msgid), PLACE.sub(r"%(\1)s", templates[msgid]))
        for msgid in longest_first
        if templates[msgid] != msgid and PLACE.search(msgid)
    ]


def _sentences(language: str) -> Iterator[tuple[str, str]]:
    catalog = translation(language)._catalog  # type: ignore[attr-defined]
    for msgid, translated in catalog.items():
        if isinstance(msgid, str) and SENTENCE.search(msgid):
            yield msgid, translated


def _pattern(msgid: str) -> re.Pattern[str]:
    """A value ends where the words behind it first stand, and the match never goes back
    on that (`?>`): a provider chooses what it sends, and must not choose how long we
    look at it."""
    places = list(PLACE.finditer(msgid))
    ends = [place.start() for place in places[1:]] + [len(msgid)]
    pattern, seen = re.escape(msgid[: places[0].start()]), set()
    for place, end in zip(places, ends, strict=True):
        name, some = place.group(1), ".*" if place is places[-1] else ".*?"
        value = f"(?P={name})" if name in seen else f"(?P<{name}>{some})"
        pattern += f"(?>{value}{re.escape(msgid[place.end() : end])})"
        seen.add(name)
    return re.compile(pattern, re.DOTALL)
