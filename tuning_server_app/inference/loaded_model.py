"""One base model in memory, with the adapters asked for lately."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from peft import PeftModel

from tuning_server_app.base_models import BaseModel
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.loading import (
    context_length,
    load_model,
    load_tokenizer,
)

KEPT_ADAPTERS = 16  # about 20 MB each


class LoadedModel:
    """Not for use from two threads: the model is switched in place."""

    def __init__(self, base: BaseModel, cache: Path) -> None:
        folder = ensure_ready(base, cache)
        self.tokenizer = load_tokenizer(folder)
        self.model = load_model(folder).eval()
        self.context_length = context_length(self.model)
        self.end_of_turn = self._end_of_turn_tokens()
        self._adapted: PeftModel | None = None
        self._adapters: OrderedDict[Path, str] = (
            OrderedDict()
        )  # least lately used first
        self._n_loaded = 0

    @contextmanager
    def switched_to(self, adapter: Path | None) -> Iterator[None]:
        """Within, the model answers with the adapter's weights, or as the base."""
        if adapter is None:
            plain = self._adapted.disable_adapter() if self._adapted else nullcontext()
            with plain:
                yield
            return
        self._switch_on(adapter)
        yield

    def _switch_on(self, adapter: Path) -> None:
        if adapter not in self._adapters:
            self._load(adapter)
        self._adapters.move_to_end(adapter)
        if self._adapted is not None:
            self._adapted.set_adapter(self._adapters[adapter], inference_mode=True)

    def _load(self, adapter: Path) -> None:
        self._n_loaded += 1
        name = f"adapter{self._n_loaded}"
        if self._adapted is None:
            self._adapted = PeftModel.from_pretrained(
                self.model, adapter, adapter_name=name, local_files_only=True
            )
        else:
            self._adapted.load_adapter(adapter, name, local_files_only=True)
        self._adapters[adapter] = name
        if len(self._adapters) > KEPT_ADAPTERS:
            self._adapted.delete_adapter(self._adapters.popitem(last=False)[1])

    def _end_of_turn_tokens(self) -> set[int]:
        """The tokenizer's, and whatever else the model's own settings end with."""
        own = self.model.generation_config.eos_token_id
        tokens = own if isinstance(own, list) else [own]
        return {
            token
            for token in [*tokens, self.tokenizer.eos_token_id]
            if token is not None
        }
