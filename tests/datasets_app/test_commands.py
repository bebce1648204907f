import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from datasets_app.models import Dataset, DatasetVersion, Example, ImportRun
from tests.factories import chat_lines, make_dataset, make_example, make_team

pytestmark = pytest.mark.django_db


def manage(*args: str) -> str:
    said = io.StringIO()
    call_command(*args, stdout=said, stderr=said)
    return said.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    path.write_bytes(chat_lines(3) + b"nope\n" + chat_lines(1))
    return path


def test_import_makes_the_dataset_and_tells_the_counts(file):
    said = manage("import_jsonl", "Card game", str(file))

    assert "5 rows read, 3 added, 1 invalid, 1 duplicate" in said
    dataset = Dataset.objects.get(name="Card game", team__slug="default")
    assert dataset.examples.count() == 3


def test_import_tells_what_is_wrong_where_and_how_to_mend_it(file):
    said = manage("import_jsonl", "Card game", str(file))

    assert "line 4: The line is not JSON" in said
    assert "Write one whole JSON object on each line." in said


def test_import_shows_the_first_problems_and_where_the_others_are(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"nope\n" * 12)
    said = manage("import_jsonl", "Card game", str(path))

    assert said.count("The line is not JSON") == 10
    run = ImportRun.objects.get()
    assert f"and 2 more, in the report: /datasets/imports/{run.pk}/" in said


def test_strict_import_adds_nothing_and_fails(file):
    with pytest.raises(CommandError, match="Nothing was added"):
        manage("import_jsonl", "Card game", str(file), "--strict")

    assert not Example.objects.exists()


def test_import_into_the_validation_split_of_another_team(file):
    team = make_team(slug="ducks")
    manage("import_jsonl", "D", str(file), "--split", "validation", "--team", "ducks")

    assert {row.split for row in Example.objects.all()} == {"validation"}
    assert Dataset.objects.get().team == team


def test_import_into_an_existing_dataset(file):
    manage("import_jsonl", "D", str(file))
    said = manage("import_jsonl", "D", str(file))

    assert "5 rows read, 0 added, 1 invalid, 4 duplicate" in said
    assert Dataset.objects.count() == 1


def test_import_of_a_table_by_its_columns(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\nHi,Hello\n")
    said = manage("import_jsonl", "D", str(path), "--columns", "user=a,assistant=b")

    assert "table.csv: read as CSV" in said
    assert [each["content"] for each in Example.objects.get().messages] == [
        "Hi",
        "Hello",
    ]


def test_import_of_a_table_asks_for_columns_it_cannot_guess(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\nHi,Hello\n")
    with pytest.raises(CommandError, match="--columns user=COLUMN"):
        manage("import_jsonl", "D", str(path))

    assert not ImportRun.objects.exists()


def test_import_as_the_format_that_is_said(tmp_path):
    path = tmp_path / "chats.jsonl"
    path.write_bytes(chat_lines(1))
    manage("import_jsonl", "D", str(path), "--format", "rft")

    assert Dataset.objects.get().method == "reinforcement"


@pytest.mark.parametrize("columns", ["boss=a", "user", "user=", "kind=xml"])
def test_columns_that_make_no_sense_are_said(file, columns):
    with pytest.raises(CommandError, match=r"is no role|kind is one of"):
        manage("import_jsonl", "D", str(file), "--columns", columns)


def test_import_that_adds_what_is_there_already(file):
    manage("import_jsonl", "D", str(file))
    said = manage("import_jsonl", "D", str(file), "--on-duplicate", "add")

    assert "5 rows read, 4 added, 1 invalid, 0 duplicate" in said


def test_a_file_that_is_no_text_makes_no_dataset(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(CommandError, match="it is a zip file"):
        manage("import_jsonl", "D", str(path))

    assert not Dataset.objects.exists()


def test_import_of_rows_of_another_method_leaves_no_draft(file, tmp_path):
    manage("import_jsonl", "D", str(file))
    with pytest.raises(CommandError, match="dataset of their own"):
        manage("import_jsonl", "D", str(file), "--format", "dpo")

    assert ImportRun.objects.count() == 1


def test_a_file_that_cannot_be_read_is_said():
    with pytest.raises(CommandError, match=r"Cannot read nowhere\.jsonl: No such file"):
        manage("import_jsonl", "D", "nowhere.jsonl")


def test_a_name_that_cannot_be_is_said(file):
    with pytest.raises(CommandError, match="100 characters"):
        manage("import_jsonl", "D" * 101, str(file))


def test_an_unknown_team_is_said_with_those_there_are(file):
    make_team(slug="ducks")

    with pytest.raises(CommandError, match=r"no team “geese”.*ducks"):
        manage("import_jsonl", "D", str(file), "--team", "geese")


def test_freeze_tells_number_hash_counts_and_where_to_look(file):
    manage("import_jsonl", "D", str(file))
    said = manage("freeze", "D", "--note", "first")

    version = DatasetVersion.objects.get()
    assert "Froze D v1" in said
    assert f"3 rows, {version.n_training_tokens} tokens" in said
    assert f"sha256 {version.training_sha256}" in said
    assert f"/datasets/versions/{version.pk}/" in said
    assert "fewer than 10" in said
    assert version.note == "first"


def test_freeze_tells_when_nothing_changed(file):
    manage("import_jsonl", "D", str(file))
    manage("freeze", "D")

    assert "identical to that of D v1" in manage("freeze", "D")


def test_freeze_of_approved_rows_only():
    dataset = make_dataset(team=make_team(slug="ducks"))
    make_example(dataset=dataset, state="approved")
    make_example(dataset=dataset)
    manage("freeze", dataset.name, "--approved-only", "--team", "ducks")

    assert DatasetVersion.objects.get().n_training_rows == 1


def test_freeze_goes_by_the_teams_rule_unless_told_otherwise():
    dataset = make_dataset(team=make_team(slug="ducks", approved_only=True))
    make_example(dataset=dataset, state="approved")
    make_example(dataset=dataset)
    manage("freeze", dataset.name, "--team", "ducks")
    manage("freeze", dataset.name, "--no-approved-only", "--team", "ducks")

    newest, first = DatasetVersion.objects.all()
    assert (first.n_training_rows, first.approved_only) == (1, True)
    assert (newest.n_training_rows, newest.approved_only) == (2, False)


def test_freeze_with_no_row_says_what_to_do(file):
    manage("import_jsonl", "D", str(file))

    with pytest.raises(CommandError, match="Approve some"):
        manage("freeze", "D", "--approved-only")


def test_freeze_of_an_unknown_dataset_says_which_there_are(file):
    manage("import_jsonl", "D", str(file))

    with pytest.raises(CommandError, match=r"no dataset “E”. It has: “D”"):
        manage("freeze", "E")


def test_undo_of_an_import_takes_its_rows_out(file):
    manage("import_jsonl", "D", str(file))
    said = manage("undo_import", str(ImportRun.objects.get().pk))

    assert "3 rows taken out of “D”" in said
    assert not Example.objects.exists()


def test_undo_of_an_import_that_is_none_says_so(file):
    with pytest.raises(CommandError, match="no import 77"):
        manage("undo_import", "77")


def test_undo_of_an_import_twice_says_why_not(file):
    manage("import_jsonl", "D", str(file))
    number = str(ImportRun.objects.get().pk)
    manage("undo_import", number)

    with pytest.raises(CommandError, match="undone already"):
        manage("undo_import", number)


def test_cancel_of_an_import_stops_it(file):
    manage("import_jsonl", "D", str(file))
    number = str(ImportRun.objects.get().pk)
    with pytest.raises(CommandError, match="had ended already"):
        manage("cancel_import", number)

    ImportRun.objects.update(status="running")
    assert "3 rows were added" in manage("cancel_import", number)
    assert ImportRun.objects.get().status == "cancelled"


def test_cancel_of_an_import_that_is_none_says_so():
    with pytest.raises(CommandError, match="no import 77"):
        manage("cancel_import", "77")
