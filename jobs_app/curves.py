"""A job's metrics as charts: which numbers are drawn, and what they are called."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs_app.charts import (
    MAX_POINTS,
    Chart,
    Point,
    Series,
    line_chart,
    number,
    smoothed,
)

LOSSES = (
    ("train_loss", gettext_lazy("training loss")),
    ("valid_loss", gettext_lazy("validation loss, sample")),
    ("full_valid_loss", gettext_lazy("validation loss, whole file")),
)
ACCURACIES = (
    ("train_mean_token_accuracy", gettext_lazy("training tokens guessed")),
    ("valid_mean_token_accuracy", gettext_lazy("validation tokens guessed, sample")),
    (
        "full_valid_mean_token_accuracy",
        gettext_lazy("validation tokens guessed, whole file"),
    ),
)
COLUMNS = (*LOSSES, *ACCURACIES)
ONE_CURVE = 2  # keys in a reading: the step and its value


@dataclass(frozen=True)
class View:
    """What a person chose to see of the curves."""

    first_step: float | None = None
    last_step: float | None = None
    is_log: bool = False
    is_smooth: bool = False

    def shows(self, step: float) -> bool:
        after = self.first_step is None or step >= self.first_step
        return after and (self.last_step is None or step <= self.last_step)


@dataclass(frozen=True)
class Figure:
    """A chart with its words, and the points that the pointer reads off."""

    key: str
    title: str
    summary: str
    chart: Chart
    readings: list[dict[str, float]]

    @property
    def readings_json(self) -> str:
        return json.dumps(self.readings, separators=(",", ":"))


def figures(metrics: list[dict[str, Any]], view: View) -> list[Figure]:
    """The charts that have something to show: loss first, then accuracy."""
    shown = [row for row in metrics if view.shows(row["step"])]
    drawn = [
        _figure("loss", _("Loss"), LOSSES, shown, view),
        _figure("accuracy", _("Token accuracy"), ACCURACIES, shown, view),
    ]
    return [figure for figure in drawn if figure]


def table(metrics: list[dict[str, Any]]) -> tuple[list[Any], list[list[str]]]:
    """The same points as a table: headings, and a row per step, newest first."""
    columns = [
        (key, label)
        for key, label in COLUMNS
        if any(_is_number(row.get(key)) for row in metrics)
    ]
    rows = [
        [number(row["step"]), *(_cell(row.get(key)) for key, _label in columns)]
        for row in reversed(metrics)
        if _is_number(row.get("step"))
    ]
    return [label for _key, label in columns], rows


def _is_number(value: Any) -> bool:
    """Providers put what they like into an event's data."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    return f"{value:.4f}" if _is_number(value) else ""


def _figure(
    key: str,
    title: str,
    named: tuple[tuple[str, Any], ...],
    metrics: list[dict[str, Any]],
    view: View,
) -> Figure | None:
    series = [Series(name, str(label), _points(metrics, name)) for name, label in named]
    is_log = view.is_log and key == "loss"
    chart = line_chart(_smooth(series) if view.is_smooth else series, is_log=is_log)
    if chart is None:
        return None
    return Figure(key, title, _summary(chart), chart, _readings(series))


def _points(metrics: list[dict[str, Any]], name: str) -> list[Point]:
    return [
        (float(row["step"]), float(row[name]))
        for row in metrics
        if _is_number(row.get("step")) and _is_number(row.get(name))
    ]


def _smooth(series: list[Series]) -> list[Series]:
    """Only the per-step curve is noisy; the whole file's loss is what it is."""
    return [
        Series(each.key, f"{each.label} ({_('smoothed')})", smoothed(each.points))
        if len(each.points) > 2 and each.key.startswith("train")
        else each
        for each in series
    ]


def _readings(series: list[Series]) -> list[dict[str, float]]:
    """Per step what stands there, for the pointer: {"step": 3, "train_loss": 0.8}."""
    by_step: dict[float, dict[str, float]] = {}
    for each in series:
        for step, value in each.points:
            row = by_step.setdefault(step, {"step": step})
            row[each.key] = round(value, 4)
    return _thinned([by_step[step] for step in sorted(by_step)])


def _thinned(readings: list[dict[str, float]]) -> list[dict[str, float]]:
    """As many as a pointer can tell apart, and all that hold more than one curve."""
    nth = -(-len(readings) // MAX_POINTS)
    return [
        row for n, row in enumerate(readings) if n % nth == 0 or len(row) > ONE_CURVE
    ]


def _summary(chart: Chart) -> str:
    """The picture in words, for those who cannot see it."""
    sentences = [
        _("%(name)s: %(value)s at step %(step)s.")
        % {
            "name": curve.label,
            "value": number(round(curve.last[1], 4)),
            "step": number(curve.last[0]),
        }
        for curve in chart.curves
    ]
    return " ".join(sentences)
