from tuning_server_app.inference.answer_text import StopTexts, TokenText

# Characters that the tokenizer never saw, so that each is cut into bytes.
TEXT = "컴퓨터 쓔쓔 🂡."


def test_characters_come_out_whole(tokenizer):
    pieces = TokenText(tokenizer)
    tokens = tokenizer(TEXT)["input_ids"]

    texts = [pieces.add(token) for token in tokens]

    assert len(tokens) > len(TEXT)
    assert "\ufffd" not in "".join(texts)
    assert "".join(texts) + pieces.rest() == TEXT


def test_text_comes_as_early_as_its_characters_are_whole(tokenizer):
    pieces = TokenText(tokenizer)
    tokens = tokenizer("쓔퓨")["input_ids"]

    early = "".join(pieces.add(token) for token in tokens[:-1])

    assert early == "쓔"


def test_a_broken_end_is_let_out_when_nothing_follows(tokenizer):
    pieces = TokenText(tokenizer)
    half = tokenizer("퓨")["input_ids"][:-1]

    assert "".join(pieces.add(token) for token in half) == ""
    assert pieces.rest() == "\ufffd"


def test_nothing_of_a_stop_text_gets_out_however_it_is_cut():
    stops = StopTexts(["\n\n", "END"])

    out = [stops.add(piece) for piece in ["one\n", "two E", "N", "Q E", "ND three"]]

    assert "".join(out) == "one\ntwo ENQ "
    assert stops.is_reached


def test_what_only_looked_like_a_stop_text_gets_out_at_the_end():
    stops = StopTexts(["END"])

    assert stops.add("the EN") + stops.rest() == "the EN"
    assert not stops.is_reached


def test_a_huge_stop_text_is_not_gone_through_at_every_token():
    cuts = []

    class Stop(str):
        __slots__ = ()

        def __getitem__(self, part):
            cuts.append(part)
            return str.__getitem__(self, part)

    stops = StopTexts([Stop("END" * 1000)])

    assert stops.add("the EN") == "the "
    assert len(cuts) == len("the EN")
