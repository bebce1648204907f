"""An open model's tokenizer and chat template, read from its files: no torch needed.

The folder holds what transformers' `save_pretrained` writes: tokenizer.json,
tokenizer_config.json and chat_template.jinja.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from open_chats.segments import Message, Tools, generation_prompt, rendering

FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
SPECIAL_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token")


class TokenizerFiles:
    """A tokenizer, and the chat template in the sandbox that transformers uses too."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / FILES[0]))
        self.source = (folder / FILES[2]).read_text(encoding="utf-8")
        config = json.loads((folder / FILES[1]).read_text(encoding="utf-8"))
        self.special = {
            name: _text(config[name]) for name in SPECIAL_NAMES if config.get(name)
        }
        self._template = _sandbox().from_string(self.source)

    @property
    def end_of_turn(self) -> str:
        return self.special.get("eos_token", "")

    @cached_property
    def control_tokens(self) -> Sequence[str]:
        added = self.tokenizer.get_added_tokens_decoder().values()
        marked = [token.content for token in added if token.special]
        return list(dict.fromkeys([*self.special.values(), *marked]))

    @cached_property
    def answer_header(self) -> str:
        return generation_prompt(self)

    def render(
        self, messages: list[Message], tools: Tools = None, *, asks: bool = False
    ) -> str:
        with rendering():
            return self._template.render(
                messages=messages,
                tools=tools or None,
                documents=None,
                add_generation_prompt=asks,
                **self.special,
            )

    def starts(self, text: str) -> list[int]:
        """Where in the text each of its tokens begins, in characters."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        return [start for start, _end in encoding.offsets]

    def count_all(self, texts: list[str]) -> list[int]:
        """The number of tokens of each text; on several cores if there are many."""
        encodings = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return list(map(len, encodings))


def has_files(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def tokenizer_in(folder: Path) -> TokenizerFiles | None:
    """The folder's tokenizer, kept in memory; None if it is not (or no longer) there.

    The server prepares it while the site runs already, so an absence is not kept.
    """
    try:
        changed_at = (folder / FILES[0]).stat().st_mtime_ns
    except OSError:
        return None
    return _load(folder, changed_at)


@lru_cache(maxsize=4)
def _load(folder: Path, _changed_at: int) -> TokenizerFiles:
    return TokenizerFiles(folder)


def _text(token: Any) -> str:
    """Older files write a token as an object."""
    return str(token["content"] if isinstance(token, dict) else token)


def _sandbox() -> ImmutableSandboxedEnvironment:
    sandbox = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    sandbox.filters["tojson"] = _to_json
    sandbox.globals["raise_exception"] = _raise
    sandbox.globals["strftime_now"] = lambda wanted: datetime.now().strftime(wanted)  # noqa: DTZ005
    return sandbox


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    """Jinja's own would write HTML's characters as escapes."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
