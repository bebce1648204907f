"""The table of a finished job's metrics, as OpenAI hands it out."""

import base64
import csv
import io
from collections.abc import Iterable
from typing import Any

FILENAME = "step_metrics.csv"
# The column's name in the table → the metric's name in the events.
COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    "full_valid_loss": "full_valid_loss",
    "full_valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}


def result_file(metrics: Iterable[dict[str, Any]]) -> bytes:
    """CSV in base64: that is how OpenAI answers, and what clients' code undoes."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for step in metrics:
        table.writerow(step.get(name, "") for name in COLUMNS.values())
    return base64.b64encode(text.getvalue().encode())
