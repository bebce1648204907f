import json

import pytest

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
