"""Asks whatever holds the weights: our inference process, or another engine."""

from tuning_server_app.inference_client.answers import (
    Abandoned,
    Answer,
    InferenceDown,
)
from tuning_server_app.inference_client.asking import ask

__all__ = ["Abandoned", "Answer", "InferenceDown", "ask"]
