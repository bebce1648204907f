"""Answering with base models and adapters, in a process of its own; no Django."""

# Its environment has to be in place before any module here imports torch.
import tuning_server_app.training  # noqa: F401
