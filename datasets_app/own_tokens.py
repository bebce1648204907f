"""Tokens as an open model's trainer counts them: its tokenizer, its chat template."""

from bisect import bisect_right
from itertools import chain
from typing import Any

from datasets_app.chat_format import OUTPUT_KEYS, all_messages, all_texts
from open_chats.plain_messages import UnusableMessage
from open_chats.segments import UnrenderableChat, segments
from open_chats.tokenizer_files import TokenizerFiles

# What the template or the reduction to plain messages says of a row that it cannot
# read; the latter four of one that its author has not finished yet.
UNREADABLE = (
    UnrenderableChat,
    UnusableMessage,
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
)


class OwnCounter:
    """Counts the pieces that the trainer tokenises, so exactly what it trains on.

    A conversation that the model cannot read (it has images, say) is not trained on
    either; its texts alone are counted.
    """

    def __init__(self, key: str, files: TokenizerFiles) -> None:
        self.key = key
        self._files = files

    def count(self, record: dict[str, Any]) -> int:
        return sum(self._files.count_all(self._pieces(record)))

    def count_all(self, records: list[dict[str, Any]]) -> list[int]:
        """As `count` for each record, on several cores."""
        pieces = [self._pieces(record) for record in records]
        sizes = iter(self._files.count_all(list(chain.from_iterable(pieces))))
        return [sum(next(sizes) for _piece in each) for each in pieces]

    def per_message(self, record: dict[str, Any]) -> list[int]:
        """Of each message: its text and the marks around it."""
        prompt = _list(record.get("messages"))
        outputs = [_list(record.get(name)) for name in OUTPUT_KEYS]
        shares = self._shares(prompt, record.get("tools"))
        for output in filter(None, outputs):
            whole = self._shares([*prompt, *output], record.get("tools"))
            shares += whole[len(prompt) :]
        return shares

    def _shares(self, messages: list[Any], tools: Any) -> list[int]:
        try:
            cut = list(segments(self._files, messages, tools))
        except UNREADABLE:
            texts = ["\n".join(all_texts([message])) for message in messages]
            return self._files.count_all(texts)
        shares, current = [0] * len(messages), 0
        for segment in cut:
            offsets = [offset for offset, _index in segment.starts]
            for start in self._files.starts(segment.text):
                position = bisect_right(offsets, start)
                index = segment.starts[position - 1][1] if position else current
                shares[index] += 1
            current = segment.starts[-1][1] if segment.starts else current
        return shares

    def _pieces(self, record: dict[str, Any]) -> list[str]:
        try:
            return self._rendered(record)
        except UNREADABLE:
            return all_texts(all_messages(record))

    def _rendered(self, record: dict[str, Any]) -> list[str]:
        """The trained pieces; of a DPO row the prompt once and both its outputs."""
        prompt, tools = _list(record.get("messages")), record.get("tools")
        outputs = [
            output for name in OUTPUT_KEYS if (output := _list(record.get(name)))
        ]
        if not outputs:
            return [segment.text for segment in segments(self._files, prompt, tools)]
        pieces: list[str] = []
        for number, output in enumerate(outputs):
            cut = [s.text for s in segments(self._files, [*prompt, *output], tools)]
            # The piece up to the answer's first character is the same both times.
            shared = 0 if number == 0 else _n_alike(pieces, cut)
            pieces += cut[shared:]
        return pieces


def _n_alike(first: list[str], second: list[str]) -> int:
    n = 0
    while n < min(len(first), len(second)) and first[n] == second[n]:
        n += 1
    return n


def _list(value: Any) -> list[Any]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
