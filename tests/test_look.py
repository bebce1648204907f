"""The look: an icon and a colour for each state, names that exist, contrast."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings

from datasets_app.models import ReviewState, RunStatus
from jobs_app.models import DeliveryState, JobStatus

STATIC = settings.BASE_DIR / "static"
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STYLESHEETS = sorted(STATIC.glob("*.css"))
STATES = {
    *JobStatus.values,
    *ReviewState.values,
    *RunStatus.values,
    *DeliveryState.values,
}
GREY = {"draft", "cancelled"}
HUES = ["grey", "blue", "cyan", "violet", "amber", "green", "red"]
SURFACES = ["page", "surface", "surface-sunken", "surface-hover"]
WCAG_AA = 4.5


def icons() -> set[str]:
    return set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))


def tokens() -> dict[str, str]:
    return dict(
        re.findall(r"--([\w-]+): ([^;]+);", (STATIC / "tokens.css").read_text())
    )


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_state_has_its_icon_and_its_colour(state):
    styled = re.findall(r"\.state--(\w+)", (STATIC / "shared.css").read_text())
    assert f"state-{state}" in icons()
    assert (state in styled) != (state in GREY)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_names_icons_that_exist(template: Path):
    named = re.findall(r'_icon\.html" with name="([\w-]+)"', template.read_text())
    named += re.findall(
        r'_empty\.html" with [^%]*icon="([\w-]+)"', template.read_text()
    )
    assert set(named) <= icons()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_inline_script_or_style(template: Path):
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_loads_nothing_from_elsewhere(template: Path):
    assert not re.search(r'(?:src|href)="(?:https?:)?//', template.read_text())


@pytest.mark.parametrize("stylesheet", STYLESHEETS, ids=lambda path: path.name)
def test_a_stylesheet_uses_properties_that_exist(stylesheet: Path):
    everywhere = "".join(path.read_text() for path in STYLESHEETS)
    defined = set(re.findall(r"(--[\w-]+):", everywhere))
    assert set(re.findall(r"var\((--[\w-]+)", stylesheet.read_text())) <= defined


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def in_scheme(token: str, scheme: int) -> str:
    """A colour token's value, light (0) or dark (1)."""
    found = re.findall(r"#[0-9a-f]{6}", tokens()[token])
    return found[scheme] if len(found) > 1 else found[0]


TEXT_ON_GROUND = [
    *product(["ink", "ink-soft", "ink-quiet", "accent", *HUES], SURFACES),
    *((hue, f"{hue}-soft") for hue in HUES),
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    *product(["on-fill"], ["accent-fill", "accent-fill-hover"]),
    *product(["on-fill"], ["danger-fill", "danger-fill-hover"]),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_stands_out_from_its_ground(text, ground, scheme):
    assert contrast(in_scheme(text, scheme), in_scheme(ground, scheme)) >= WCAG_AA


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("line", ["line-control", "focus"])
def test_controls_and_focus_can_be_seen(line, scheme):
    """WCAG 2.2, 1.4.11: what shows where a control is has a contrast of 3."""
    assert contrast(in_scheme(line, scheme), in_scheme("surface", scheme)) >= 3
