"""The contract as documents: what OpenAI publishes, and what is served here."""

from tuning_server_app.openapi.published import Document, mended
from tuning_server_app.openapi.served import served

__all__ = ["Document", "mended", "served"]
