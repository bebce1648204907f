"""Answers of one base model, written side by side: one token each a step."""

import logging
from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from tuning_server_app.errors import ApiError
from tuning_server_app.inference.loaded_model import LoadedModel
from tuning_server_app.inference.row import Question, Row
from tuning_server_app.inference.row_cache import RowCache

logger = logging.getLogger(__name__)

MAX_ROWS = 16
# A long prompt is read in pieces, so that the answers beside it go on.
PIECE_TOKENS = 256


class Batch:
    """Takes questions in order; each joins the others when its prompt is read.

    A step reads every weight of the model once, however many rows it has: eight rows
    take little longer than one.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._waiting: deque[Question] = deque()
        self._reading: _Reading | None = None
        self._rows: list[Row] = []
        self._cache = RowCache()

    @property
    def is_idle(self) -> bool:
        return not (self._waiting or self._reading or self._rows)

    def add(self, question: Question) -> None:
        self._waiting.append(question)

    def end_all(self, error: Exception | None = None) -> None:
        """Forget everything."""
        for question in self._questions():
            question.chat.end(error and _explained(error))
        self._waiting.clear()
        self._reading, self._rows, self._cache = None, [], RowCache()

    @torch.inference_mode()
    def turn(self) -> None:
        """One step of the answers, and a piece of the next prompt."""
        self._forget_the_unwanted()
        if self._reading is None and self._waiting and self._has_room():
            self._reading = _Reading(self._waiting.popleft())
            self._reading.question.chat.start()
        if self._reading is not None:
            self._read_on(self._reading)
        if self._rows:
            self._write_on()

    def _questions(self) -> list[Question]:
        written = {id(row.question): row.question for row in self._rows}
        read = [self._reading.question] if self._reading else []
        return [*written.values(), *read, *self._waiting]

    def _forget_the_unwanted(self) -> None:
        for question in self._questions():
            if question.chat.is_unwanted:
                question.chat.end()
        self._waiting = deque(q for q in self._waiting if not q.chat.is_ended)
        if self._reading and self._reading.question.chat.is_ended:
            self._reading = None
        self._keep_the_unfinished()

    def _has_room(self) -> bool:
        """Whether the next question fits beside the rows, however long all become."""
        if not self._rows:
            return True
        question = self._waiting[0]
        n_rows = len(self._rows) + question.request.n
        longest = max(q.n_tokens for q in [question, *(r.question for r in self._rows)])
        return n_rows <= MAX_ROWS and n_rows * longest <= self._loaded.room

    def _read_on(self, reading: "_Reading") -> None:
        try:
            logits = reading.read_on(self._loaded)
            if logits is None:
                return
            self._reading = None
            self._begin_writing(reading, logits)
        except Exception as error:  # whatever it was, the other answers go on
            logger.exception("A question could not be read.")
            self._reading = None
            _fail(reading.question, error)

    def _begin_writing(self, reading: "_Reading", logits: Tensor) -> None:
        question = reading.question
        rows = [Row(question, at, self._loaded) for at in range(question.request.n)]
        _take(rows, logits.expand(len(rows), -1))
        unfinished = [row for row in rows if not row.is_done]
        if unfinished and not question.chat.is_ended:
            self._join(unfinished, reading.cache.select([0] * len(unfinished)))
        else:
            question.chat.end()

    def _join(self, rows: list[Row], cache: RowCache) -> None:
        self._cache.join(cache)
        self._rows += rows
        # Rows of one adapter side by side are answered in one go.
        order = sorted(
            range(len(self._rows)), key=lambda at: id(self._rows[at].question.adapter)
        )
        if order != list(range(len(order))):
            self._select(order)

    def _write_on(self) -> None:
        try:
            logits = self._step(self._rows, self._cache)
        except Exception as error:  # memory, say: one answer's end is not the others'
            logger.exception("A step of %s answers failed.", len(self._rows))
            self._cache.rewind()
            self._fail_the_guilty(error)
        else:
            _take(self._rows, logits)
        self._keep_the_unfinished()

    def _step(self, rows: Sequence[Row], cache: RowCache) -> Tensor:
        tokens = [[row.last_token] for row in rows]
        adapters = [row.question.adapter for row in rows]
        return self._loaded.read(tokens, cache, adapters)

    def _fail_the_guilty(self, error: Exception) -> None:
        """End the answers that fail also alone; if there is none, there are too many
        of them, and the last that came has to go."""
        guilty = [row.question for at, row in enumerate(self._rows) if self._fails(at)]
        newest = max((row.question for row in self._rows), key=lambda q: q.number)
        for question in guilty or [newest]:
            _fail(question, error)

    def _fails(self, at: int) -> bool:
        try:
            self._step([self._rows[at]], self._cache.select([at]))
        except Exception:  # whichever it is, this answer is the one that fails
            logger.exception("An answer failed by itself.")
            return True
        return False

    def _keep_the_unfinished(self) -> None:
        open_chats = {id(r.question.chat) for r in self._rows if not r.is_done}
        for row in self._rows:
            if id(row.question.chat) not in open_chats:
                row.question.chat.end()
        kept = [
            at
            for at, row in enumerate(self._rows)
            if not row.is_done and not row.question.chat.is_ended
        ]
        if len(kept) < len(self._rows):
            self._select(kept)

    def _select(self, kept: list[int]) -> None:
        self._cache = self._cache.select(kept) if kept else RowCache()
        self._rows = [self._rows[at] for at in kept]


class _Reading:
    """A prompt that is read piece by piece."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.cache = RowCache()
        self.cache.lengths = [0]
        self._unread = question.prompt

    def read_on(self, loaded: LoadedModel) -> Tensor | None:
        """Logits (1, V) after the prompt, once all of it is read."""
        piece, self._unread = self._unread[:PIECE_TOKENS], self._unread[PIECE_TOKENS:]
        logits = loaded.read([piece], self.cache, [self.question.adapter])
        return None if self._unread else logits


def _take(rows: Sequence[Row], logits: Tensor) -> None:
    """Give each row its token of (rows, V) logits; one that fails ends alone."""
    numbers = logits.float()
    likeliest = numbers.argmax(dim=-1).tolist()
    are_broken = numbers.isnan().any(dim=-1).tolist()
    parts = zip(rows, likeliest, are_broken, numbers, strict=True)
    for row, token, is_broken, own in parts:
        try:
            if is_broken:
                raise ArithmeticError("The model's weights give no numbers.")
            if row.takes_the_likeliest:
                row.take(token)
            else:
                row.take_from(own.to("cpu", copy=True))
        except ApiError as error:
            _fail(row.question, error)
        except Exception as error:  # its form or its biases: the others go on
            logger.exception("A token could not be chosen.")
            _fail(row.question, error)


def _fail(question: Question, error: Exception) -> None:
    question.chat.end(_explained(error))


def _explained(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if _is_out_of_memory(error):
        return ApiError(
            503,
            "This answer did not fit into memory beside the others. Ask again later, or"
            " for fewer choices (n) or tokens (max_completion_tokens).",
            code="out_of_memory",
        )
    return ApiError(
        500,
        "The model failed at this answer. The log of the inference process has the"
        " details; other answers are not concerned.",
        code="answer_failed",
    )


def _is_out_of_memory(error: Exception) -> bool:
    is_cpu = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    return is_cpu or isinstance(error, torch.OutOfMemoryError | MemoryError)
