"""What may be wrong with a file, or with a row that is not in OpenAI's format."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# As in `problem_texts`: code → (what is wrong, how to mend it).
TEXTS: dict[str, tuple[str | Promise, str | Promise]] = {
    # rows of other kinds than OpenAI's
    "no_field": (
        _("The row has no “%(key)s”."),
        _("Add it, or choose another format for the file."),
    ),
    "field_not_text": (
        _("“%(key)s” is a JSON %(found)s, not text."),
        _("Put the text into quotation marks, or choose another column."),
    ),
    "field_not_list": (
        _("“%(key)s” is a JSON %(found)s, not a list."),
        _("List the turns in the order they were said."),
    ),
    "two_conversations": (
        _("The row holds a conversation twice: in “messages” and in other keys."),
        _("Keep one of the two."),
    ),
    "bad_history": (
        _("“history” is not a list of pairs of texts."),
        _('Write [["question", "answer"], ...], or leave it out.'),
    ),
    "bad_turn": (
        _("Turn %(number)s is not an object."),
        _('Write {"from": "human", "value": ...}.'),
    ),
    "bad_turn_call": (
        _("Turn %(number)s calls a function, but does not say which."),
        _('Write {"name": ..., "arguments": {...}} as its value.'),
    ),
    "no_input": (
        _("The row has no “input” with the messages that both outputs answer."),
        _('Add "input": {"messages": [...]}.'),
    ),
    "prompts_differ": (
        _("The two answers do not answer the same conversation."),
        _("Make “chosen” and “rejected” alike up to their last message."),
    ),
    # rows of tables
    "bad_csv": (
        _("The row is not CSV: %(detail)s."),
        _("Look at its quotation marks: one inside a cell is written twice."),
    ),
    "row_too_long": (
        _("The row is longer than %(limit_mb)s MB."),
        _("Look for a quotation mark that is never closed."),
    ),
    "too_many_marks": (
        _("The row has more than %(limit)s cells."),
        _("Look for a missing line break, or choose another format."),
    ),
    "too_many_cells": (
        _("The row has %(found)s cells, but there are %(expected)s columns."),
        _("Put cells with a comma or a line break into quotation marks."),
    ),
    "no_picture": (
        _("“%(key)s” holds bytes that are no picture."),
        _("Save it as JPEG, PNG or WEBP, or choose no column for images."),
    ),
    "picture_without_question": (
        _("The row has a picture, but no question that it could stand in."),
        _("Say which column holds the question, or choose no column for images."),
    ),
    "tag_too_long": (
        _("The tag “%(tag)s” is longer than %(limit)s characters."),
        _("Shorten it, put commas between tags, or choose no column for tags."),
    ),
    "too_many_tags": (
        _("The row has %(found)s tags; at most %(limit)s are allowed."),
        _("Keep those that you look for, or choose no column for tags."),
    ),
    "too_many_team_tags": (
        _("The team would have more than %(limit)s different tags."),
        _("Choose no column for tags: this one seems to hold something else."),
    ),
    # the file as a whole
    "file_gone": (
        _("The uploaded file is gone from the server."),
        _("Upload it again."),
    ),
    "no_text_file": (
        _("This is no text: it is a %(found)s file, whatever its name says."),
        _("Unpack it, or save it as JSONL or CSV, and import that."),
    ),
    "binary_file": (
        _("This is no text file."),
        _("Save the rows as JSONL, CSV or Parquet, and import that."),
    ),
    "gzip_broken": (
        _("The packed file is damaged or cut off: %(detail)s."),
        _("Upload it again, or pack it anew."),
    ),
    "gzip_bomb": (
        _("The file unpacks to more than %(ratio)s times its size."),
        _("No text does; unpack it and look at what is in it."),
    ),
    "array_not_closed": (
        _("The JSON array has no end: the file seems to be cut off."),
        _("Upload it again, or close the array with a bracket."),
    ),
    "more_after_array": (
        _("Something follows after the end of the JSON array."),
        _("Remove it, or write one object on each line and no array."),
    ),
    "parquet_broken": (
        _("The Parquet file cannot be read: %(detail)s."),
        _("Upload it again, or save it anew."),
    ),
    "parquet_page_too_big": (
        _("The Parquet file has pages that unpack to more than %(limit_mb)s MB."),
        _("Save it anew with smaller pages, or as JSONL."),
    ),
    "blank_lines": (
        _("At line %(number)s there are more than %(limit)s blank lines together."),
        _("Remove them, and import the file again."),
    ),
    "no_headings": (
        _("The first row of the table has no headings."),
        _("Name the columns in the first row."),
    ),
    "too_many_columns": (
        _("The table has %(found)s columns; at most %(limit)s are read."),
        _("Keep those that the conversations need."),
    ),
}
