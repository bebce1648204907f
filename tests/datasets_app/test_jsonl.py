import io
import tracemalloc

import pytest

from datasets_app.jsonl import (
    MAX_LINE_BYTES,
    BadLine,
    _once,
    parse_json,
    read_lines,
)


def lines_of(data: bytes, **start: int) -> list[tuple[int, bytes]]:
    return [(line.number, line.data) for line in read_lines(io.BytesIO(data), **start)]


def test_lines_are_numbered_and_blank_ones_skipped():
    assert lines_of(b"a\n\n  \nb") == [(1, b"a"), (4, b"b")]


def test_a_byte_order_mark_is_dropped():
    assert lines_of(b"\xef\xbb\xbf{}\n") == [(1, b"{}")]


def test_windows_line_ends_are_dropped():
    assert lines_of(b"a\r\nb\r\n\r\n") == [(1, b"a"), (2, b"b")]


def test_reading_goes_on_where_it_stopped():
    first, second = read_lines(io.BytesIO(b"one\ntwo\n"))

    assert lines_of(b"one\ntwo\n", offset=first.end, number=1) == [(2, b"two")]
    assert second.end == 8


def test_a_line_at_the_limit_is_read():
    (line,) = read_lines(io.BytesIO(b"x" * MAX_LINE_BYTES + b"\r\n"))

    assert not line.is_too_long


def test_the_line_after_a_line_that_is_too_long_is_read():
    long, after = read_lines(io.BytesIO(b"x" * (MAX_LINE_BYTES + 1) + b"\nok\n"))

    assert long.is_too_long
    assert (after.number, after.data, after.is_too_long) == (2, b"ok", False)


def test_a_line_of_fifty_megabytes_is_never_whole_in_memory(tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"x" * 50_000_000 + b"\nok\n")
    tracemalloc.start()
    with path.open("rb") as file:
        flags = [line.is_too_long for line in read_lines(file)]
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert flags == [True, False]
    assert peak < 40_000_000  # Python's own readline holds a 16 MB piece twice


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"12345678901234567890123", 12345678901234567890123),
        (b"-9223372036854775809", -9223372036854775809),
        (b"0.1", 0.1),
        (b"1e22", 1e22),
        (b"1.50", 1.5),
    ],
)
def test_numbers_are_exact(text, value):
    assert parse_json(text) == value
    assert type(parse_json(text)) is type(value)


@pytest.mark.parametrize(
    "text", [b"1.00000000000000000001", b"1e-400", b"1e-99999999999999999999"]
)
def test_a_number_that_would_be_rounded_is_refused(text):
    with pytest.raises(BadLine) as caught:
        parse_json(text)

    assert caught.value.problem.code == "number_not_exact"


def test_a_key_inside_a_string_is_no_duplicate():
    text = rb'{"a": "\"a\": \"b\": \"c\":", "b": 1}'

    assert parse_json(text) == {"a": '"a": "b": "c":', "b": 1}


def test_deep_json_that_orjson_takes_is_refused():
    with pytest.raises(BadLine) as caught:
        parse_json(b"[" * 65 + b"]" * 65)

    assert caught.value.problem.code == "too_deep"


def test_a_key_that_comes_twice_is_named_and_each_key_looked_at_once():
    n_compared = 0

    class Key(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal n_compared
            n_compared += 1
            return str.__eq__(self, other)

    keys = [Key(f"key {n}") for n in range(500)]
    with pytest.raises(BadLine) as caught:
        _once([(key, 1) for key in [*keys, Key("key 499")]])

    assert caught.value.problem.params == {"key": "key 499"}
    assert n_compared < 2 * len(keys)  # every key with every other would be 125,000
