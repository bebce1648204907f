"""Korean is whole, compiled, and what a Korean reader sees."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.utils.formats import date_format
from django.utils.translation import override

from teams_app.models import Role, Team
from tests.browser import pages
from tests.factories import make_member, make_team

ROOT = Path(settings.BASE_DIR)
FOLDER = Path("locale/ko/LC_MESSAGES")
PO = polib.pofile(str(ROOT / FOLDER / "django.po"))
NOT_OURS = (".venv", "var", "tests", "benchmarks")
# The value's name and kind: a number may be padded in one language only.
PLACE = re.compile(r"%(?:\((\w+)\))?[0-9]*([ds%])|(\{\})")
HANGUL = re.compile("[가-힣]")
# The other language's button; and what Django's admin says in English: the name of a
# hidden field, the text for a picture of a magnifying glass.
# Names of languages, a value of JSON in a diff, and a key of the keyboard.
ENGLISH_HERE_TOO = {"Delete", "English", "None", "Search", "user"}


def texts(entry: polib.POEntry) -> list[str]:
    return [entry.msgstr] if not entry.msgid_plural else [*entry.msgstr_plural.values()]


def places(text: str) -> set[tuple[str, ...]]:
    return {found.groups() for found in PLACE.finditer(text)}


def test_nothing_is_left_untranslated_or_doubtful():
    assert [entry.msgid for entry in PO if not all(texts(entry))] == []
    assert [entry.msgid for entry in PO if entry.fuzzy or entry.obsolete] == []


def test_every_value_has_its_place():
    """Of a plural, Korean has one form, which takes the values of the English two."""
    for entry in PO:
        asked = places(entry.msgid) | places(entry.msgid_plural)
        assert [places(text) for text in texts(entry)] == [asked], entry.msgid


def test_lines_and_tags_are_kept():
    for entry in PO:
        for text in texts(entry):
            assert text.count("\n") == entry.msgid.count("\n"), entry.msgid
            tags = re.compile(r"</?\w+")
            assert sorted(tags.findall(text)) == sorted(tags.findall(entry.msgid))


def test_the_compiled_catalog_is_of_this_text():
    def content(entries: polib.POFile | polib.MOFile) -> dict[object, list[str]]:
        return {(e.msgctxt, e.msgid): texts(e) for e in entries}

    assert content(polib.mofile(str(ROOT / FOLDER / "django.mo"))) == content(PO)


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs the package gettext")
def test_every_string_of_the_sources_is_in_the_text(tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", *NOT_OURS))
    options = ["--locale=ko", "--no-location", "--no-obsolete", "--no-wrap"]
    environment = {
        "FINETUNE_SITE_VAR": str(tmp_path / "var"),
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "manage.py", "makemessages", *options]
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    found = polib.pofile(str(copy / FOLDER / "django.po"))
    in_sources = {(entry.msgctxt, entry.msgid) for entry in found}
    assert in_sources == {(entry.msgctxt, entry.msgid) for entry in PO}


def test_times_are_written_as_koreans_do():
    with override("ko"):
        assert date_format(datetime(2026, 11, 22, 9, 5), "DATETIME_FORMAT") == (
            "2026년 11월 22일 09:05"
        )


class Words(HTMLParser):
    """What a page says, piece by piece; code is code in every language."""

    CODE = ("script", "style", "code", "pre", "textarea")
    SAID = ("aria-label", "placeholder", "title", "alt")

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.within_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within_code += tag in self.CODE
        self.said += [value for name, value in attrs if name in self.SAID and value]

    def handle_endtag(self, tag: str) -> None:
        self.within_code -= tag in self.CODE

    def handle_data(self, data: str) -> None:
        if not self.within_code and data.strip():
            self.said.append(" ".join(data.split()))


def english_of_ours() -> Iterator[str]:
    """Our own words, as they begin a heading or stand within a line."""
    for entry in PO:
        is_translated = any(HANGUL.search(text) for text in texts(entry))
        if is_translated and not PLACE.search(entry.msgid):
            yield from (entry.msgid, entry.msgid[0].upper() + entry.msgid[1:])


@pytest.mark.django_db
@pytest.mark.parametrize("address", pages.PAGES, ids=lambda address: address.__name__)
def test_a_page_in_korean_says_nothing_of_ours_in_english(
    client: Client, address: Callable[[Team], str]
):
    team = make_team(name="Card players")
    member = make_member(Role.OWNER, team, username="mina", is_superuser=True)
    client.force_login(member)

    response = client.get(address(team), headers={"Accept-Language": "ko"})

    assert response.headers["Content-Language"] == "ko"
    reader = Words()
    reader.feed(response.content.decode())
    said = {piece.rstrip(":") for piece in reader.said}
    assert said & set(english_of_ours()) - ENGLISH_HERE_TOO == set()
    assert HANGUL.search(" ".join(said))
