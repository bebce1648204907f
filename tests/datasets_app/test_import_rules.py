"""The import rules, for whatever bytes come."""

import io
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from datasets_app import file_problem_texts, services
from datasets_app.chat_format import canonical_line
from datasets_app.models import Example, ImportFailure, ImportRun, RunStatus, Split
from tests.datasets_app.bad_rows import BAD_LINES, GOOD_LINES
from tests.factories import make_dataset

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
)
SAID = TEXT.filter(lambda text: text.strip() and "<|" not in text)
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def conversations(draw):
    """Valid records, with keys in any order and now and then a weight or a name."""
    turns = draw(st.lists(st.tuples(SAID, SAID), min_size=1, max_size=4))
    messages = []
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(SAID)})
    for asked, said in turns:
        messages.append({"content": asked, "role": "user"})
        messages.append({"role": "assistant", "content": said})
    if draw(st.booleans()):
        messages[-1] = {"weight": 1, **messages[-1]}
    record = {"messages": messages}
    if draw(st.booleans()):
        schema = draw(
            st.dictionaries(
                TEXT,
                st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
            )
        )
        function = {"name": "f", "parameters": schema}
        record["tools"] = [{"type": "function", "function": function}]
    return record


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([line for _code, _index, line in BAD_LINES if len(line) < 9000]),
    st.sampled_from(GOOD_LINES),
    st.sampled_from([b"\r", b" ", b"\xef\xbb\xbf", b"{}", b"[]", b"null"]),
)
FILES = st.lists(PIECES, max_size=8).map(b"\n".join)


def do_import(data: bytes, *, strict: bool = False) -> ImportRun:
    run = services.start_import(
        dataset=make_dataset(),
        file=io.BytesIO(data),
        file_name="any.jsonl",
        split=Split.TRAIN,
        strict=strict,
    )
    services.run_import(run)
    run.refresh_from_db()
    return run


class ImportRules(TestCase):
    @EXAMPLES
    @given(FILES)
    def test_any_bytes_are_read_to_the_end_and_every_row_is_counted(self, data):
        run = do_import(data)

        if run.error == ImportFailure.BAD_FILE:  # it begins like a zip file, say
            assert run.problems.get().code in file_problem_texts.TEXTS
            return
        assert run.status == RunStatus.FINISHED
        assert run.n_read == run.n_added + run.n_invalid + run.n_duplicate
        lines = [
            line.strip(b" \t\r")
            for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        ]
        assert run.n_read == len([line for line in lines if line])
        assert Example.objects.filter(dataset=run.dataset).count() == run.n_added
        reported = run.problems.values("line_number").distinct().count()
        assert reported == run.n_invalid

    @EXAMPLES
    @given(FILES)
    def test_all_or_nothing_adds_all_or_nothing(self, data):
        strict, lenient = do_import(data, strict=True), do_import(data)
        if lenient.error:
            assert not strict.n_added
            return

        assert strict.n_added == (0 if lenient.n_invalid else lenient.n_added)
        assert strict.n_invalid == lenient.n_invalid

    @EXAMPLES
    @given(st.lists(conversations(), min_size=1, max_size=5))
    def test_what_is_imported_is_frozen_in_its_canonical_form(self, records):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        run = do_import("\n".join(lines).encode())
        assert run.n_invalid == 0

        version = services.freeze(dataset=run.dataset, by=None)

        with version.training_file.open("rb") as file:
            frozen = file.read().decode().split("\n")
        canonical = dict.fromkeys(canonical_line(record) for record in records)
        assert frozen == [*canonical, ""]
        assert [json.loads(line) for line in canonical] == [
            json.loads(line) for line in frozen[:-1]
        ]
