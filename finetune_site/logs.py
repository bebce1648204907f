"""One line a record: for people, or as JSON for a log collector (LOG_JSON).

What a record is about stands beside its message: `extra={"job": job.pk, "request_id":
exc.request_id}`. No key and no training text is ever logged.
"""

import logging
from typing import Any

FIELDS = ("job", "provider", "problem", "request_id")


class Line(logging.Formatter):
    """`LEVEL logger: message [job=3 request_id=req_1]`"""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        about = [
            f"{name}={_word(it)}" for name in FIELDS if (it := given(record, name))
        ]
        return f"{line} [{' '.join(about)}]" if about else line


def _word(value: Any) -> str:
    """Codes and ids come from providers: a line break would begin a line of theirs."""
    text = str(value)
    return text if text.isprintable() else repr(text)


def given(record: logging.LogRecord, name: str) -> Any:
    return getattr(record, name, None)


def configuration(*, as_json: bool) -> dict[str, Any]:
    """For Django's LOGGING."""
    json_lines = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "fmt": "{asctime}{levelname}{name}{message}",
        "style": "{",
    }
    lines = {"()": Line, "format": "{levelname} {name}: {message}", "style": "{"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": json_lines if as_json else lines},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {"httpx2": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
    }
