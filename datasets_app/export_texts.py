"""The words for the formats of exports, and for why a row is left out of one."""

from typing import Any

from django.utils.translation import gettext_lazy as _

TITLES: dict[str, Any] = {
    "openai": _("OpenAI JSONL"),
    "dpo": _("DPO JSONL"),
    "whole": _("JSONL with further keys"),
    "sharegpt": _("ShareGPT"),
    "alpaca": _("Alpaca"),
    "csv": _("CSV, a question and its answer a row"),
    "csv-conversations": _("CSV, a whole conversation a row"),
    "csv-dpo": _("CSV, a question and both answers a row"),
    "parquet": _("Parquet"),
    "parquet-dpo": _("Parquet"),
}
DESCRIPTIONS: dict[str, Any] = {
    "openai": _(
        "What a provider gets: the same rows always give the same bytes. Keys that the "
        "format does not know stay behind."
    ),
    "dpo": _(
        "input, preferred_output and non_preferred_output, as a provider gets them. "
        "Keys that the format does not know stay behind."
    ),
    "whole": _(
        "The same with all that the imported file said besides. Take this to move a "
        "dataset to another site: it is imported there as it is here."
    ),
    "sharegpt": _(
        "conversations of “from” and “value”, as LLaMA-Factory and others read them. A "
        "tool call has no id there."
    ),
    "alpaca": _("instruction, input, output, system and history. Plain text only."),
    "csv": _(
        "Columns system, user and assistant, for a spreadsheet. A cell that a "
        "spreadsheet would take for a formula begins with an apostrophe; an import "
        "here takes it away again."
    ),
    "csv-conversations": _(
        "Columns messages and tools, each as JSON. Any number of turns, tool calls and "
        "images."
    ),
    "csv-dpo": _(
        "Columns system, user, preferred and non_preferred, for a spreadsheet. A cell "
        "that a spreadsheet would take for a formula begins with an apostrophe; an "
        "import here takes it away again."
    ),
    "parquet": _(
        "Columns messages (a list of role, content, tool_calls …) and tools (JSON), as "
        "Hugging Face datasets and TRL read them."
    ),
    "parquet-dpo": _(
        "Columns prompt, chosen and rejected, each a list of messages, as Hugging Face "
        "datasets and TRL read them."
    ),
}
REASONS: dict[str, Any] = {
    "tools": _("use tools"),
    "parts": _("have images or other parts"),
    "turns": _("are not just questions and answers in turn, or have too many"),
    "weights": _("have answers that are not to be learnt"),
    "names": _("name the speakers"),
    "roles": _("have roles that the format does not know"),
    "calls_and_text": _("call a tool and speak in the same message"),
    "call_settings": _("say how tools are called, or have functions of the old form"),
    "shape": _("are not conversations, or have keys that the format does not know"),
    "preference": _("have a better and a worse answer"),
    "no_preference": _("have no two answers to compare"),
}
