"""One choice of an answer, as pieces of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuning_server_app.inference.answer_text import StopTexts, TokenText
from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.inference.generation import generate
from tuning_server_app.inference.loaded_model import LoadedModel
from tuning_server_app.inference.sampling import make_choice


@dataclass(frozen=True)
class Delta:
    """More text of one choice; the last one says why it ended and its token count."""

    index: int
    text: str
    finish_reason: str | None = None
    completion_tokens: int = 0


def write_choice(
    loaded: LoadedModel,
    prompt: Sequence[int],
    request: ChatRequest,
    index: int,
    seed: int,
) -> Iterator[Delta]:
    """Deltas up to the end of the turn, a stop text, or the most tokens allowed.

    Every token yields a delta, maybe without text, so that the reader can give up
    between any two. The end-of-turn token is not counted: it is no part of the answer.
    """
    text, stops = TokenText(loaded.tokenizer), StopTexts(request.stop)
    room = loaded.context_length - len(prompt)
    choose = make_choice(request.temperature, request.top_p, seed)
    n_tokens, reason = 0, "length"
    for token in generate(
        loaded.model, prompt, choose, max_tokens=min(request.max_tokens, room)
    ):
        if token in loaded.end_of_turn:
            reason = "stop"
            break
        n_tokens += 1
        yield Delta(index, stops.add(text.add(token)))
        if stops.is_reached:
            yield Delta(index, "", "stop", n_tokens)
            return
    rest = stops.add(text.rest())
    if stops.is_reached:
        reason = "stop"
    else:
        rest += stops.rest()
    yield Delta(index, rest, reason, n_tokens)
