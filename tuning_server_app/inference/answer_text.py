"""Tokens into text, piece by piece: whole characters only, and up to a stop text."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

BROKEN_CHARACTER = "\ufffd"
# A character is at most four bytes; what is still broken then was broken to begin with.
LONGEST_CHARACTER_TOKENS = 4


class TokenText:
    """Decodes as tokens come. A Korean syllable is often two or three tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._read: list[
            int
        ] = []  # kept as context: some tokenizers need it for spaces
        self._unread: list[int] = []

    def add(self, token: int) -> str:
        """The text that is now certain, maybe none."""
        self._unread.append(token)
        text = self._new_text()
        waits = text.endswith(BROKEN_CHARACTER)
        if waits and len(self._unread) < LONGEST_CHARACTER_TOKENS:
            return ""
        self._read, self._unread = self._unread, []
        return text

    def rest(self) -> str:
        """What was held back, when nothing follows."""
        return self._new_text() if self._unread else ""

    def _new_text(self) -> str:
        known = self._decode(self._read)
        return self._decode(self._read + self._unread)[len(known) :]

    def _decode(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


class StopTexts:
    """Passes text on until a stop text appears; never lets out the start of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.is_reached = False

    def add(self, text: str) -> str:
        self._held += text
        places = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if places:
            self.is_reached = True
            return self._let_out(min(places))
        return self._let_out(len(self._held) - self._n_suspect())

    def rest(self) -> str:
        return self._let_out(len(self._held))

    def _n_suspect(self) -> int:
        """How many characters at the end may be the beginning of a stop text.

        However long a client's stop text is, no more of it can have come than is held.
        """
        lengths = (
            length
            for stop in self._stops
            for length in range(1, min(len(stop), len(self._held) + 1))
            if self._held.endswith(stop[:length])
        )
        return max(lengths, default=0)

    def _let_out(self, n_characters: int) -> str:
        text, self._held = self._held[:n_characters], self._held[n_characters:]
        return text
