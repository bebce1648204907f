"""An answer on its way from the thread that writes it to the one that sends it."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TokenLogprob:
    """How likely a token was: the natural logarithm of its probability."""

    token: int
    logprob: float
    top: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Delta:
    """More text of one choice; the last one says why it ended and its token count."""

    index: int
    text: str
    finish_reason: str | None = None
    completion_tokens: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class _Started:
    pass


@dataclass(frozen=True)
class _Ended:
    error: Exception | None


class Chat:
    """Iterate for its deltas; close it when done."""

    def __init__(
        self,
        *,
        prompt_tokens: int,
        is_abandoned: Callable[[], bool],
        on_end: Callable[[], None],
    ) -> None:
        self.prompt_tokens = prompt_tokens
        self.is_ended = False
        self._events: queue.SimpleQueue[_Started | Delta | _Ended] = queue.SimpleQueue()
        self._is_abandoned = is_abandoned
        self._on_end = on_end
        self._is_closed = False

    def close(self) -> None:
        """Stop writing: nobody reads on."""
        self._is_closed = True

    @property
    def is_unwanted(self) -> bool:
        return self._is_closed or self._is_abandoned()

    def start(self) -> None:
        """From here on text comes."""
        self._events.put(_Started())

    def tell(self, delta: Delta) -> None:
        if not self.is_ended:
            self._events.put(delta)

    def end(self, error: Exception | None = None) -> None:
        """Nothing more comes. Only the first end counts."""
        if not self.is_ended:
            self.is_ended = True
            self._on_end()
            self._events.put(_Ended(error))

    def wait_for_start(self) -> None:
        """Return when text is about to come, or raise what prevents it."""
        event = self._events.get()
        if isinstance(event, _Ended):
            self._events.put(event)  # unwanted before it began: no deltas
            if event.error:
                raise event.error

    def __iter__(self) -> Iterator[Delta]:
        while isinstance(event := self._events.get(), Delta):
            yield event
        if isinstance(event, _Ended) and event.error:
            raise event.error


def is_exiting() -> bool:
    """At the interpreter's end the main thread waits for the others."""
    return not threading.main_thread().is_alive()
