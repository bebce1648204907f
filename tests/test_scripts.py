"""No script of ours makes markup or code out of text, whatever the text is.

The browser stops what such markup would run (Content-Security-Policy), but not the
markup itself: a form that asks for the password, a page of somebody else's over ours.
"""

import re
from pathlib import Path

import pytest
from django.conf import settings

SCRIPTS = sorted((settings.BASE_DIR / "static").rglob("*.js"))
# What each would write instead.
INSTEAD = {
    r"innerHTML|outerHTML|setHTML": "`textContent`, or `element()` of dom.js",
    r"insertAdjacentHTML|createContextualFragment|DOMParser": "`append`, `before`",
    r"document\s*\.\s*write": "`append`",
    r"\beval\b|\bFunction\s*\(|\.constructor\s*\(": "a function that is written out",
    r"set(?:Timeout|Interval)\s*\(\s*[\"'`]": "a function, not its text",
    r"srcdoc|[\"'`]iframe[\"'`]": "no frame",
    r"javascript\s*:|vbscript\s*:|data:text/html": "an address of this site",
    r"setAttribute(?:NS)?\s*\(\s*[\"'`]on|[\"'`]on[a-z]+[\"'`]\s*[:\]]": (
        "`addEventListener`"
    ),
    r"\bon[a-z]+\s*:\s*[\"'`]": "`addEventListener`",
    r"[\"'`]script[\"'`]": "a file that is imported",
}
SAMPLES = [
    'box.innerHTML = "<b>" + text',
    'box["outerHTML"] = text',
    "box.setHTMLUnsafe(text)",
    'box.insertAdjacentHTML("beforeend", text)',
    'new DOMParser().parseFromString(text, "text/html")',
    "document.createRange().createContextualFragment(text)",
    "document.write(text)",
    "document.writeln(text)",
    "eval(text)",
    "new Function(text)()",
    '(() => 0).constructor("return 1")()',
    'setTimeout("go()", 9)',
    "frame.srcdoc = text",
    'document.createElement("iframe")',
    'link.href = "javascript:go()"',
    'box.setAttribute("onclick", text)',
    'element("p", { "onclick": text })',
    'element("p", { onclick: "go()" })',
    'document.createElement("script")',
]


def sinks_in(source: str) -> list[str]:
    """A sentence for each place where text would become markup or code."""
    return [
        f"line {source.count(chr(10), 0, found.start()) + 1}: “{found[0]}”: "
        f"text becomes markup or code here; take {instead}."
        for sink, instead in INSTEAD.items()
        for found in re.finditer(sink, source)
    ]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_makes_no_markup_of_text(script: Path):
    assert sinks_in(script.read_text()) == []


@pytest.mark.parametrize("source", SAMPLES)
def test_every_way_to_do_so_is_noticed(source: str):
    assert sinks_in(source)


def test_there_are_scripts():
    assert len(SCRIPTS) > 10
