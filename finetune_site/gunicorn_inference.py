"""gunicorn's settings for the inference process: one copy of the weights."""

from finetune_site.settings import INFERENCE_SOCKET

bind = f"unix:{INFERENCE_SOCKET}"
umask = 0o077
worker_class = "gthread"
workers = 1
# More than the chats that it takes at once: the others are told to come again.
threads = 32
timeout = 600
graceful_timeout = 2
loglevel = "warning"
# The first use of a base model converts it; a log wants no progress bars.
raw_env = ["TQDM_DISABLE=1"]
