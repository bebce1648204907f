"""Answers chats: finds what each needs, and lets one thread write them all."""

import json
import logging
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path

from open_chats.plain_messages import UnusableMessage, plain_messages
from tuning_server_app.base_models import BaseModel, BaseModelMissing
from tuning_server_app.errors import ApiError, invalid
from tuning_server_app.inference.adapters import (
    WEIGHTS_FILE,
    Adapter,
    AdapterUnusable,
)
from tuning_server_app.inference.batch import Batch
from tuning_server_app.inference.chat import Chat, is_exiting
from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.inference.grammar import make_grammar
from tuning_server_app.inference.loaded_model import LoadedModel
from tuning_server_app.inference.row import Question
from tuning_server_app.training.chat_rendering import UnrenderableChat, render_prompt

logger = logging.getLogger(__name__)

# Written or waiting at once. Each holds a thread here and one of the web process, which
# must keep some for everything else.
MAX_CHATS = 24
LOOK_SECONDS = 0.5


class Busy(Exception):
    """Too many chats are waiting already; ask again in a moment."""


class Engine:
    """A bounded number of chats, and one thread that writes them in batches."""

    def __init__(
        self, bases: Mapping[str, BaseModel], base_cache: Path, adapters_root: Path
    ) -> None:
        self._bases = bases
        self._base_cache = base_cache
        self._adapters_root = adapters_root.resolve()
        self._places = threading.BoundedSemaphore(MAX_CHATS)
        self._numbers = count()
        # None only wakes the thread.
        self._arrived: queue.SimpleQueue[tuple[LoadedModel, Question] | None] = (
            queue.SimpleQueue()
        )
        self._batches: dict[LoadedModel, Batch] = {}
        self._is_closing = False
        # Models are loaded beside the answers of others, one at a time.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._loading: dict[str, Future[LoadedModel]] = {}
        self._loading_lock = threading.Lock()
        for name in list(bases)[:1]:
            self._load(name).add_done_callback(_log_failure)
        self._thread = threading.Thread(target=self._write, name="engine")
        self._thread.start()

    def chat(
        self, request: ChatRequest, is_abandoned: Callable[[], bool] = lambda: False
    ) -> Chat:
        """The answer, as soon as the model begins to read the question.

        Args:
            is_abandoned: asked before every token; true ends the writing.

        Raises:
            ApiError: the request cannot be answered.
            BaseModelMissing
            Busy: MAX_CHATS others are there already.
        """
        self._check_base(request.base)
        folder = self._adapter_folder(request.adapter)
        if self._is_closing or not self._places.acquire(blocking=False):
            raise Busy
        try:
            loaded = self._load(request.base).result()
            question = self._question(loaded, request, folder, is_abandoned)
        except BaseException:  # whatever ends the asking must give its place back
            self._places.release()
            raise
        self._arrived.put((loaded, question))
        question.chat.wait_for_start()
        return question.chat

    def token_bytes(self, base: str, token: int) -> bytes:
        """What a token of the base model stands for; maybe a part of a character."""
        return bytes(self._load(base).result().guide.decode_bytes([token]))

    def close(self) -> None:
        """Stop writing, and return when the threads have ended."""
        self._is_closing = True
        self._arrived.put(None)
        self._loader.shutdown(cancel_futures=True)
        self._thread.join()

    def _question(
        self,
        loaded: LoadedModel,
        request: ChatRequest,
        folder: Path | None,
        is_abandoned: Callable[[], bool],
    ) -> Question:
        prompt = _prompt(loaded, request)
        max_tokens = min(request.max_tokens, loaded.context_length - len(prompt))
        _check_room(loaded, request, len(prompt) + max_tokens)
        _check_bias(loaded, request)
        return Question(
            number=next(self._numbers),
            request=request,
            prompt=prompt,
            adapter=_adapter(loaded, folder),
            grammar=make_grammar(request, lambda: loaded.guide),
            seed=secrets.randbits(31) if request.seed is None else request.seed,
            max_tokens=max_tokens,
            chat=Chat(
                prompt_tokens=len(prompt),
                is_abandoned=is_abandoned,
                on_end=self._places.release,
            ),
        )

    def _write(self) -> None:
        while not self._is_closing and not is_exiting():
            self._let_in()
            for batch in self._batches.values():
                if not batch.is_idle:
                    _turn(batch)
        self._is_closing = True
        for batch in self._batches.values():
            batch.end_all()
        while not self._arrived.empty():
            if arrived := self._arrived.get():
                arrived[1].chat.end()

    def _let_in(self) -> None:
        """Everybody who has arrived; if nothing else is to be done, wait for one."""
        is_idle = all(batch.is_idle for batch in self._batches.values())
        try:
            arrived = self._arrived.get(block=is_idle, timeout=LOOK_SECONDS)
            while arrived:
                self._batch_of(arrived[0]).add(arrived[1])
                arrived = self._arrived.get_nowait()
        except queue.Empty:
            pass

    def _batch_of(self, loaded: LoadedModel) -> Batch:
        if loaded not in self._batches:
            self._batches[loaded] = Batch(loaded)
        return self._batches[loaded]

    def _load(self, name: str) -> Future[LoadedModel]:
        """The model, soon. One that could not be loaded is tried again."""
        with self._loading_lock:
            loading = self._loading.get(name)
            if loading is None or (loading.done() and loading.exception()):
                loading = self._loader.submit(
                    LoadedModel, self._bases[name], self._base_cache
                )
                self._loading[name] = loading
            return loading

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
        if not is_inside or not (folder / WEIGHTS_FILE).is_file():
            raise ApiError(
                404,
                f"There are no weights at {adapter}. The model was deleted, or its"
                " training did not finish.",
                code="model_not_found",
                param="model",
            )
        return folder


def _turn(batch: Batch) -> None:
    try:
        batch.turn()
    except Exception as error:  # a mistake of ours; later questions must be answered
        logger.exception("A batch of answers broke.")
        batch.end_all(error)


def _prompt(loaded: LoadedModel, request: ChatRequest) -> list[int]:
    try:
        _check_length(loaded, request)
        with loaded.tokenizer_lock:
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


def _check_length(loaded: LoadedModel, request: ChatRequest) -> None:
    """Making tokens of megabytes would keep all others waiting, only to refuse them."""
    messages = plain_messages(request.messages)
    called = [message.get("tool_calls") for message in messages]
    texts = [json.dumps(part, ensure_ascii=False) for part in (called, request.tools)]
    n_characters = sum(map(len, [*texts, *(each["content"] for each in messages)]))
    if n_characters > loaded.context_length * loaded.longest_token:
        raise invalid(
            f"The conversation has {n_characters} characters, which is far more than"
            f" the {loaded.context_length} tokens that the model reads. Leave out"
            " earlier messages or shorten them.",
            param="messages",
            code="context_length_exceeded",
        )


def _check_room(loaded: LoadedModel, request: ChatRequest, n_tokens: int) -> None:
    if request.n > 1 and request.n * n_tokens > loaded.room:
        raise invalid(
            f"{request.n} choices of up to {n_tokens} tokens, the conversation"
            f" included, do not fit into memory: {loaded.room} tokens do. Ask for fewer"
            " choices or for a smaller max_completion_tokens.",
            param="n",
        )


def _check_bias(loaded: LoadedModel, request: ChatRequest) -> None:
    n_tokens = loaded.model.config.vocab_size
    unknown = [token for token, _bias in request.logit_bias if token >= n_tokens]
    if unknown:
        raise invalid(
            f"logit_bias names token {unknown[0]}, but the model's tokens end at"
            f" {n_tokens - 1}.",
            param="logit_bias",
        )


def _adapter(loaded: LoadedModel, folder: Path | None) -> Adapter | None:
    try:
        return loaded.adapters.get(folder) if folder else None
    except AdapterUnusable as error:
        logger.exception("The adapter %s cannot be used.", folder)
        raise ApiError(
            500,
            f"This model's weights cannot be used: {error}. Train it again, or ask the"
            " base model.",
            code="adapter_unusable",
        ) from error


def _log_failure(warmed: "Future[LoadedModel]") -> None:
    if warmed.cancelled():
        return
    error = warmed.exception()
    if isinstance(error, BaseModelMissing):
        logger.error("%s", error)
    elif error is not None:
        logger.error("The base model could not be loaded.", exc_info=error)
