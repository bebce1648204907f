"""Answers chats, one at a time, with weights that stay in memory."""

import logging
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from open_chats.plain_messages import UnusableMessage
from tuning_server_app.base_models import BaseModel, BaseModelMissing
from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.inference.loaded_model import LoadedModel
from tuning_server_app.inference.writing import Delta, write_choice
from tuning_server_app.training.chat_rendering import UnrenderableChat, render_prompt

logger = logging.getLogger(__name__)

MAX_WAITING = 16


class Busy(Exception):
    """Too many chats are waiting already; ask again in a moment."""


@dataclass(frozen=True)
class Started:
    """The prompt is read; from here on text comes."""

    prompt_tokens: int


class Chat:
    """An answer that is being written. Iterate for its deltas; close it when done."""

    def __init__(self, is_abandoned: Callable[[], bool]) -> None:
        self.prompt_tokens = 0
        self._events: queue.SimpleQueue[Started | Delta | Future[None]] = (
            queue.SimpleQueue()
        )
        self._is_abandoned = is_abandoned
        self._is_closed = False

    def close(self) -> None:
        """Stop writing: nobody reads on."""
        self._is_closed = True

    @property
    def is_unwanted(self) -> bool:
        # At the interpreter's end the main thread waits for ours, so ours must stop.
        is_exiting = not threading.main_thread().is_alive()
        return self._is_closed or is_exiting or self._is_abandoned()

    def tell(self, event: "Started | Delta | Future[None]") -> None:
        self._events.put(event)

    def wait_for_start(self) -> None:
        """Return when text is about to come, or raise what prevents it."""
        event = self._events.get()
        if isinstance(event, Started):
            self.prompt_tokens = event.prompt_tokens
        elif isinstance(event, Future):
            event.result()
            self._events.put(event)  # it was unwanted before it began: no deltas

    def __iter__(self) -> Iterator[Delta]:
        while isinstance(event := self._events.get(), Delta):
            yield event
        if isinstance(event, Future):
            event.result()


class Engine:
    """One thread that owns the models, and a bounded queue in front of it.

    On two cores two answers at once would each take twice as long; one after the other,
    the first comes early and memory stays bounded.
    """

    def __init__(
        self, bases: Mapping[str, BaseModel], base_cache: Path, adapters_root: Path
    ) -> None:
        self._bases = bases
        self._base_cache = base_cache
        self._adapters_root = adapters_root.resolve()
        self._loaded: dict[str, LoadedModel] = {}
        self._places = threading.BoundedSemaphore(1 + MAX_WAITING)
        self._is_closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        for name in list(bases)[:1]:
            self._thread.submit(self._load, name).add_done_callback(_log_failure)

    def chat(
        self, request: ChatRequest, is_abandoned: Callable[[], bool] = lambda: False
    ) -> Chat:
        """The answer, as soon as the model begins to write it.

        Args:
            is_abandoned: asked before every token; true ends the writing.

        Raises:
            ApiError: the request cannot be answered.
            Busy: MAX_WAITING others wait already.
        """
        self._check_base(request.base)
        adapter = self._adapter_folder(request.adapter)
        if not self._places.acquire(blocking=False):
            raise Busy
        chat = Chat(is_abandoned)
        work = self._thread.submit(self._answer, request, adapter, chat)
        work.add_done_callback(lambda done: self._leave(chat, done))
        chat.wait_for_start()
        return chat

    def close(self) -> None:
        """Stop writing, and return when the thread has ended."""
        self._is_closing = True
        self._thread.shutdown(cancel_futures=True)

    def _leave(self, chat: Chat, done: "Future[None]") -> None:
        self._places.release()
        chat.tell(done)

    def _answer(self, request: ChatRequest, adapter: Path | None, chat: Chat) -> None:
        if chat.is_unwanted:
            return
        loaded = self._load(request.base)
        prompt = _prompt(loaded, request)
        seed = secrets.randbits(31) if request.seed is None else request.seed
        with loaded.switched_to(adapter):
            chat.tell(Started(len(prompt)))
            for index in range(request.n):
                deltas = write_choice(loaded, prompt, request, index, seed + index)
                for delta in deltas:
                    if chat.is_unwanted or self._is_closing:
                        return
                    chat.tell(delta)

    def _load(self, name: str) -> LoadedModel:
        if name not in self._loaded:
            self._loaded[name] = LoadedModel(self._bases[name], self._base_cache)
        return self._loaded[name]

    def _check_base(self, name: str) -> None:
        if name not in self._bases:
            known = ", ".join(self._bases)
            raise invalid(f"There is no base model {name}; known: {known}.")

    def _adapter_folder(self, adapter: str | None) -> Path | None:
        """The adapter's folder, which must lie below the root and hold safetensors."""
        if adapter is None:
            return None
        folder = (self._adapters_root / adapter).resolve()
        is_inside = folder.is_relative_to(self._adapters_root)
        if not is_inside or not (folder / "adapter_model.safetensors").is_file():
            raise ApiError(
                404,
                f"There are no weights at {adapter}. The model was deleted, or its"
                " training did not finish.",
                code="model_not_found",
                param="model",
            )
        return folder


def _prompt(loaded: LoadedModel, request: ChatRequest) -> list[int]:
    try:
        prompt = render_prompt(loaded.tokenizer, request.messages, request.tools)
    except (UnrenderableChat, UnusableMessage) as error:
        raise invalid(str(error), param="messages") from error
    if len(prompt) >= loaded.context_length:
        raise invalid(
            f"The conversation has {len(prompt)} tokens, but the model reads at most"
            f" {loaded.context_length}, its answer included. Leave out earlier"
            " messages or shorten them.",
            param="messages",
            code="context_length_exceeded",
        )
    return prompt


def _log_failure(warmed: "Future[LoadedModel]") -> None:
    error = warmed.exception()
    if isinstance(error, BaseModelMissing):
        logger.error("%s", error)
    elif error is not None:
        logger.error("The base model could not be loaded.", exc_info=error)
