from dataclasses import replace

import pytest

from tuning_server_app.base_models import SMOLLM2, BaseModel
from tuning_server_app.training.hyperparameters import (
    Hyperparameters,
    RequestedHyperparameters,
    base_learning_rate,
    resolve,
    share_of_learning_rate,
    steps_per_epoch,
    total_steps,
)

ALL_AUTO = RequestedHyperparameters()


def automatic(n_rows: int, tokens_per_row: int = 200) -> Hyperparameters:
    return resolve(ALL_AUTO, n_rows=n_rows, n_tokens=n_rows * tokens_per_row)


def test_numbers_that_were_asked_for_are_kept():
    asked = RequestedHyperparameters(3, 8, 0.25)

    resolved = resolve(asked, n_rows=15, n_tokens=3000)

    assert resolved == Hyperparameters(3, 8, 0.25)


def test_one_number_may_be_asked_for_and_the_rest_left_to_us():
    asked = RequestedHyperparameters(n_epochs=3)

    resolved = resolve(asked, n_rows=15, n_tokens=3000)

    assert resolved == Hyperparameters(3, 2, 1.0)


@pytest.mark.parametrize("n_rows", [10, 15, 24, 50])
@pytest.mark.parametrize("tokens_per_row", [60, 250])
def test_small_files_are_read_often_and_in_many_steps(n_rows, tokens_per_row):
    resolved = automatic(n_rows, tokens_per_row)

    assert resolved.n_epochs >= 8
    assert total_steps(resolved, n_rows) >= 60


def test_fifteen_rows_get_what_was_measured():
    assert automatic(15) == Hyperparameters(12, 2, 1.0)


def test_the_more_rows_the_fewer_readings():
    epochs = [automatic(n_rows).n_epochs for n_rows in (10, 15, 50, 200, 900, 9000)]

    assert epochs == sorted(epochs, reverse=True)
    assert len(set(epochs)) == len(epochs)


def test_short_rows_come_in_larger_batches():
    assert automatic(40, tokens_per_row=80).batch_size == 4
    assert automatic(40, tokens_per_row=200).batch_size == 2


def test_a_batch_is_no_larger_than_the_file():
    asked = RequestedHyperparameters(batch_size=256)

    assert resolve(asked, n_rows=15, n_tokens=3000).batch_size == 15


def test_the_last_batch_of_an_epoch_may_be_smaller():
    assert steps_per_epoch(Hyperparameters(1, 4, 1.0), 15) == 4


def test_every_step_moves_the_weights_and_the_rate_climbs_then_falls():
    shares = [share_of_learning_rate(step, n_steps=100) for step in range(100)]

    top = shares.index(max(shares))
    assert max(shares) == 1
    assert 0 < top < 10
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert min(shares) > 0


def test_a_run_of_one_step_uses_the_whole_rate():
    assert share_of_learning_rate(0, n_steps=1) == 1


def test_the_model_in_the_box_has_a_rate_of_its_own():
    assert base_learning_rate(SMOLLM2) == 1e-3
    assert base_learning_rate(BaseModel("a-large-model", "")) == 1e-4


def test_an_operators_rate_goes_before_ours():
    ours = replace(SMOLLM2, learning_rate=5e-4)
    assert base_learning_rate(ours) == 5e-4
    assert base_learning_rate(ours, "dpo") == pytest.approx(1e-5)
