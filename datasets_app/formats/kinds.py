"""How a file may hold its rows; `models.FileFormat` has the words for people."""

from collections.abc import Mapping

from datasets_app.chat_format import DPO as DPO_METHOD
from datasets_app.chat_format import REINFORCEMENT, SUPERVISED

CHAT, DPO, RFT = "chat", "dpo", "rft"
PROMPT_COMPLETION, SHAREGPT, ALPACA = "prompt_completion", "sharegpt", "alpaca"
# Rows of named cells, of which a mapping says what they are.
COLUMNS, CSV, TSV, PARQUET = "columns", "csv", "tsv", "parquet"

# JSON rows with keys of their own, one a line or in an array.
ROW_KINDS = (CHAT, DPO, RFT, PROMPT_COMPLETION, SHAREGPT, ALPACA)
TABLES = (COLUMNS, CSV, TSV, PARQUET)


def method_of(format: str, mapping: Mapping[str, str] | None = None) -> str:
    """What the rows of such a file teach."""
    mapping = mapping or {}
    kind = mapping.get("kind", format)
    if kind == DPO or "preferred" in mapping:
        return DPO_METHOD
    return REINFORCEMENT if kind == RFT else SUPERVISED
