import json

import pytest

from jobs_app import curves
from jobs_app.curves import View, figures, table

METRICS = [
    {"step": 1, "train_loss": 2.0, "train_mean_token_accuracy": 0.4},
    {"step": 2, "train_loss": 1.0, "train_mean_token_accuracy": 0.6},
    {"step": 3, "train_loss": 0.5, "full_valid_loss": 0.9},
]


def test_loss_and_accuracy_are_two_figures():
    assert [figure.key for figure in figures(METRICS, View())] == ["loss", "accuracy"]


def test_a_figure_is_told_in_words():
    summary = figures(METRICS, View())[0].summary

    assert "training loss: 0.5 at step 3." in summary
    assert "validation loss, whole file: 0.9 at step 3." in summary


def test_only_the_chosen_steps_are_drawn():
    chart = figures(METRICS, View(first_step=2, last_step=3))[0].chart

    assert (chart.first_step, chart.last_step) == (2, 3)
    until = figures(METRICS, View(last_step=2))[0].chart
    assert (until.first_step, until.last_step) == (1, 2)


def test_smoothing_says_so_and_leaves_the_readings_as_they_were():
    figure = figures(METRICS, View(is_smooth=True))[0]

    assert "smoothed" in figure.chart.curves[0].label
    assert json.loads(figure.readings_json)[0] == {"step": 1, "train_loss": 2.0}


def test_readings_of_a_long_run_are_thinned_but_keep_the_validation():
    rows = [{"step": n, "train_loss": 1.0} for n in range(1, 5001)]
    rows[2222]["full_valid_loss"] = 0.7
    readings = figures(rows, View())[0].readings

    assert len(readings) < 700
    assert any("full_valid_loss" in row for row in readings)


@pytest.mark.parametrize("odd", ["0.5", None, True, [1], {}])
def test_a_value_that_is_no_number_is_no_point(odd):
    rows = [{"step": 1, "train_loss": odd}]

    assert figures(rows, View()) == []
    assert table(rows) == ([], [["1"]])


def test_the_table_is_newest_first_and_has_the_columns_there_are():
    headings, rows = table(METRICS)

    assert len(headings) == 3
    assert rows[0] == ["3", "0.5000", "0.9000", ""]


def test_a_row_of_no_step_is_in_no_table_and_no_curve():
    odd = [{"step": True, "train_loss": 9.0}, *METRICS]

    assert len(table(odd)[1]) == len(METRICS)
    assert figures(odd, View())[0].chart == figures(METRICS, View())[0].chart


def test_only_a_loss_is_drawn_on_a_log_scale_and_only_if_wanted(monkeypatch):
    drawn: list[bool] = []
    line_chart = curves.line_chart

    def note(series, *, is_log):
        drawn.append(is_log)
        return line_chart(series, is_log=is_log)

    monkeypatch.setattr(curves, "line_chart", note)
    figures(METRICS, View(is_log=True))
    figures(METRICS, View())

    assert drawn == [True, False, False, False]


def test_two_points_and_a_whole_files_loss_are_not_smoothed():
    rows = [{"step": n, "full_valid_loss": 1.0} for n in range(4)]
    rows[0]["train_loss"] = rows[1]["train_loss"] = 2.0

    labels = [c.label for c in figures(rows, View(is_smooth=True))[0].chart.curves]

    assert not any("smoothed" in label for label in labels)
