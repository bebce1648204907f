import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs_app.charts import (
    MAX_POINTS,
    PLOT_HEIGHT,
    TOP,
    Series,
    downsample,
    line_chart,
    log_ticks,
    number,
    smoothed,
    ticks,
)

values = st.floats(min_value=1e-6, max_value=1e6)


def loss(*points):
    return Series("train_loss", "training loss", points)


@given(values, values)
@example(999999.9999999999, 1000000.0)
@example(0.000001, 0.0000010001)
def test_ticks_enclose_the_values_at_even_distances(a, b):
    low, high = sorted((a, b))
    marks = ticks(low, high)
    gaps = [after - before for before, after in zip(marks, marks[1:], strict=False)]

    assert marks[0] <= low * 1.001
    assert marks[-1] >= high * 0.999
    assert max(gaps) == pytest.approx(min(gaps), rel=0.01)
    assert 2 <= len(marks) <= 12


@given(values, values)
@example(999999.9999999999, 999999.9999999999)  # its logarithm is rounded to a whole
@example(1.0000000000000002, 10.000000000000002)
def test_log_ticks_enclose_the_values(a, b):
    low, high = sorted((a, b))
    marks = log_ticks(low, high)

    assert marks[0] <= low
    assert marks[-1] >= high
    assert len(marks) > 1


@given(st.lists(st.tuples(st.integers(1, 10_000), values), min_size=1, max_size=60))
def test_every_point_stands_inside_the_plot(points):
    for is_log in (False, True):
        chart = line_chart([loss(*points)], is_log=is_log)
        assert chart is not None
        heights = [float(y) for y in re.findall(r" (-?[\d.]+)", chart.curves[0].path)]
        dots = [dot.y for dot in chart.curves[0].markers]
        assert all(TOP <= y <= TOP + PLOT_HEIGHT for y in heights + dots)


def test_one_point_is_a_dot_without_a_line():
    chart = line_chart([loss((3, 0.5))])

    assert chart is not None
    assert chart.curves[0].path == ""
    assert len(chart.curves[0].markers) == 1
    assert [tick.label for tick in chart.x_ticks] == ["3"]


def test_no_points_are_no_chart():
    assert line_chart([loss()]) is None


def test_what_is_no_number_is_left_out():
    chart = line_chart([loss((1, math.nan), (2, 0.5), (3, math.inf))])

    assert chart is not None
    assert chart.curves[0].last == (2, 0.5)


@pytest.mark.parametrize("x", [math.nan, math.inf])
def test_a_point_at_no_step_is_left_out(x):
    chart = line_chart([loss((1, 0.5), (x, 0.4), (2, 0.3))])

    assert chart is not None
    assert len(chart.curves[0].markers) == 2


def test_a_plain_scale_keeps_zero_and_below():
    chart = line_chart([loss((1, 0.5), (2, 0.0), (3, -0.5))])

    assert chart is not None
    assert len(chart.curves[0].markers) == 3


@pytest.mark.parametrize(
    ("ends", "marks"),
    [
        ((0, 10), [0, 2, 4, 6, 8, 10]),
        ((1000, 1000), [500, 750, 1000, 1250, 1500]),
        ((0, 0), [-0.5, -0.25, 0, 0.25, 0.5]),
    ],
)
def test_ticks_are_round(ends, marks):
    low, high = ends

    assert ticks(low, high, 4 if low == high else 5) == marks


def test_log_ticks_go_no_further_than_they_must():
    assert log_ticks(1, 90) == [1, 2, 5, 10, 20, 50, 100]


def labels_below(*steps: int) -> list[str]:
    chart = line_chart([loss(*((step, 0.5) for step in steps))])
    assert chart is not None
    return [tick.label for tick in chart.x_ticks]


@pytest.mark.parametrize(
    ("steps", "labels"),
    [
        ((7,), ["7"]),  # no round number, but all there is
        ((1, 2, 3), ["1", "2", "3"]),  # none at a half step
        ((3, 17), ["5", "7.5", "10", "12.5", "15"]),
    ],
)
def test_steps_are_marked_where_there_are_some(steps, labels):
    assert labels_below(*steps) == [label for label in labels if "." not in label]


def test_a_log_scale_leaves_out_zero():
    chart = line_chart([loss((1, 2.0), (2, 0.0), (3, 0.02))], is_log=True)

    assert chart is not None
    assert len(chart.curves[0].markers) == 2
    assert chart.is_log


def test_five_thousand_points_are_thinned_and_keep_their_spike():
    points = [(step, 9.0 if step == 3333 else 1.0) for step in range(1, 5001)]
    kept = downsample(points)

    assert len(kept) <= MAX_POINTS + 2
    assert (3333, 9.0) in kept
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert kept == sorted(set(kept))


@pytest.mark.parametrize("n_points", [1, 2, MAX_POINTS - 1, MAX_POINTS])
def test_as_many_points_as_can_be_seen_all_stay(n_points):
    points = [(step, 1 / step) for step in range(1, n_points + 1)]

    assert downsample(points) == points


def test_many_points_have_no_markers():
    chart = line_chart([loss(*((step, 1 / step) for step in range(1, 500)))])

    assert chart is not None
    assert chart.curves[0].markers == []
    assert chart.curves[0].path.startswith("M")


def test_smoothing_starts_at_the_first_value_and_calms_the_rest():
    points = [(step, 1.0 + step % 2) for step in range(100)]
    calm = smoothed(points)

    assert calm[0] == points[0]
    assert 1.3 < calm[-1][1] < 1.7


@pytest.mark.parametrize(
    ("value", "label"),
    [(0, "0"), (0.5, "0.5"), (0.0002, "0.0002"), (2000, "2000"), (1e-7, "1e-07")],
)
def test_labels_are_short(value, label):
    assert number(value) == label
