"""Line charts as SVG, drawn on the server: points in, path data and ticks out.

Horizontal positions are percentages and vertical ones pixels, so that a chart fills
any width while its text keeps its size. No style attribute is ever written: the
Content-Security-Policy forbids them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]

HEIGHT = 240  # of the whole picture, in pixels
TOP = 14
BOTTOM = 26  # room for the labels of the steps
PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
LEFT, RIGHT = 5.0, 98.5  # where the first and the last step stand, in percent
PATH_WIDTH = 1000  # the path's own units; the page stretches them to the plot
MAX_POINTS = 600  # more cannot be told apart on a screen
MAX_MARKERS = 40


@dataclass(frozen=True)
class Series:
    """What is known of one curve: (step, value) pairs in the order of the steps."""

    key: str
    label: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Tick:
    position: float
    label: str


@dataclass(frozen=True)
class Marker:
    x: float
    y: float


@dataclass(frozen=True)
class Curve:
    key: str
    label: str
    path: str
    markers: list[Marker]
    last: Point


@dataclass(frozen=True)
class Chart:
    """All that the template writes into the picture."""

    curves: list[Curve]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    first_step: float
    last_step: float
    is_log: bool

    height = HEIGHT
    plot_top = TOP
    plot_height = PLOT_HEIGHT
    plot_bottom = TOP + PLOT_HEIGHT
    path_width = PATH_WIDTH
    left = LEFT
    right = RIGHT


@dataclass(frozen=True)
class Scale:
    """Maps values between `low` and `high` onto `start` and `end`."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._bend(self.low), self._bend(self.high)
        share = (self._bend(value) - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 2)

    def _bend(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def line_chart(series: Sequence[Series], *, is_log: bool = False) -> Chart | None:
    """A chart of the curves that have points; None if there is nothing to draw.

    On a logarithmic scale values of zero and below cannot stand anywhere and are
    left out.
    """
    drawable = [
        (each, points) for each in series if (points := _drawable(each.points, is_log))
    ]
    if not drawable:
        return None
    steps = [x for _, points in drawable for x, _y in points]
    values = [y for _, points in drawable for _x, y in points]
    y_marks = log_ticks(min(values), max(values)) if is_log else ticks(*_room(values))
    x_scale = Scale(*_span(min(steps), max(steps)), LEFT, RIGHT)
    y_scale = Scale(y_marks[0], y_marks[-1], TOP + PLOT_HEIGHT, TOP, is_log)
    return Chart(
        curves=[_curve(each, points, x_scale, y_scale) for each, points in drawable],
        x_ticks=_step_ticks(min(steps), max(steps), x_scale),
        y_ticks=[Tick(y_scale(mark), number(mark)) for mark in y_marks],
        first_step=min(steps),
        last_step=max(steps),
        is_log=is_log,
    )


def smoothed(points: Sequence[Point], weight: float = 0.85) -> list[Point]:
    """An exponential moving average, freed of its bias towards the start."""
    average, result = 0.0, []
    for n, (x, y) in enumerate(points, start=1):
        average = weight * average + (1 - weight) * y
        result.append((x, average / (1 - weight**n)))
    return result


def downsample(points: Sequence[Point], limit: int = MAX_POINTS) -> list[Point]:
    """At most about `limit` points; every spike stays, because each bucket keeps its
    lowest and its highest point."""
    size = math.ceil(len(points) / (limit // 2))
    kept: list[Point] = []
    for start in range(0, len(points), size):
        bucket = points[start : start + size]
        ends = {min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])}
        kept += sorted(ends)
    return _with_ends(kept, points)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers at even distances that enclose `low` and `high`."""
    low, high = _span(low, high)
    step = _round_step((high - low) / about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Steps of 1, 2, 5 (of ten, over many decades) that enclose `low` and `high`."""
    # One decade more at either end: log10 rounds 999999.9999999999 up to a whole six.
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    factors = (1, 2, 5) if last - first <= 5 else (1,)
    marks = [f * 10.0**n for n in range(first, last + 1) for f in factors]
    below = [mark for mark in marks if mark <= low]
    above = [mark for mark in marks if mark >= high]
    enclosing = [mark for mark in marks if below[-1] <= mark <= above[0]]
    return enclosing if len(enclosing) > 1 else [enclosing[0] / 2, enclosing[0] * 2]


def number(value: float) -> str:
    """A tick's label: short, and never in the form 1e-05 for a plain number."""
    if value == 0 or 0.0001 <= abs(value) < 1_000_000:
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return f"{value:.0e}"


def _drawable(points: Sequence[Point], is_log: bool) -> list[Point]:
    return [
        (x, y)
        for x, y in points
        if math.isfinite(x) and math.isfinite(y) and (y > 0 or not is_log)
    ]


def _room(values: list[float]) -> tuple[float, float]:
    """From zero if that costs little of the picture, else from the lowest value."""
    low, high = min(values), max(values)
    return (0.0, high) if 0 <= low < high / 2 else (low, high)


def _span(low: float, high: float) -> tuple[float, float]:
    """The two ends, drawn apart where they are one, or as good as one."""
    if high - low > 1e-6 * max(abs(low), abs(high)):
        return low, high
    half = abs(low) / 2 or 0.5
    return low - half, high + half


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= raw * 0.999)


def _step_ticks(first: float, last: float, scale: Scale) -> list[Tick]:
    if first == last:
        return [Tick(scale(first), number(first))]
    inside = [mark for mark in ticks(first, last) if first <= mark <= last]
    whole = [mark for mark in inside if mark == int(mark)]
    return [Tick(scale(mark), number(mark)) for mark in whole]


def _curve(each: Series, points: list[Point], x: Scale, y: Scale) -> Curve:
    shown = downsample(points)
    few = len(points) <= MAX_MARKERS
    return Curve(
        key=each.key,
        label=each.label,
        path=_path(shown, x, y) if len(shown) > 1 else "",
        markers=[Marker(x(px), y(py)) for px, py in points] if few else [],
        last=points[-1],
    )


def _path(points: Sequence[Point], x: Scale, y: Scale) -> str:
    unit = PATH_WIDTH / 100
    corners = (f"{x(px) * unit:.1f} {y(py):.1f}" for px, py in points)
    return "M" + "L".join(corners)


def _with_ends(kept: list[Point], points: Sequence[Point]) -> list[Point]:
    """The first and the last value must be right: people read them off."""
    head = [] if kept[0] == points[0] else [points[0]]
    tail = [] if kept[-1] == points[-1] else [points[-1]]
    return [*head, *kept, *tail]
