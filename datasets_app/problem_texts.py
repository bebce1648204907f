"""What each problem of a row is and how to mend it, in the viewer's language."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasets_app import file_problem_texts

# code → (what is wrong, how to mend it). Where the text has an unknown code's
# parameters missing, it is shown as it is rather than not at all.
TEXTS: dict[str, tuple[str | Promise, str | Promise]] = {
    # the line
    "too_long": (
        _("The line is longer than %(limit_mb)s MB."),
        _("Split the conversation, or look for a missing line break."),
    ),
    "not_utf8": (
        _("Byte %(byte)s of the line is not UTF-8."),
        _("Save the file with the encoding UTF-8."),
    ),
    "not_json": (
        _("The line is not JSON: %(detail)s, at character %(column)s."),
        _("Write one whole JSON object on each line."),
    ),
    "not_object": (
        _("The line holds a JSON %(found)s, not an object."),
        _('Write {"messages": [...]} on each line.'),
    ),
    "too_deep": (
        _("The JSON is nested deeper than %(limit)s levels."),
        _("A row needs only a few levels; look for stray brackets."),
    ),
    "duplicate_key": (
        _("The key “%(key)s” stands twice in one object; one would be lost."),
        _("Keep one of the two."),
    ),
    "number_not_exact": (
        _("The number %(number)s cannot be kept exactly."),
        _("Write it with fewer digits, or as a string."),
    ),
    # the row
    "no_messages": (
        _("The row has no messages."),
        _('Add "messages" with at least a user and an assistant message.'),
    ),
    "messages_not_list": (
        _("“messages” is a JSON %(found)s, not a list."),
        _("Put the messages into a list, in the order they were said."),
    ),
    "extra_key": (
        _("The row has the key “%(key)s”, which the chat format does not know."),
        _("Remove it; a weight belongs on an assistant message."),
    ),
    "other_method": (
        _("The row is for the method “%(found)s”, the dataset for “%(wanted)s”."),
        _("Import it into a dataset of its own: a training file has one method."),
    ),
    "not_one_output": (
        _("“%(key)s” is not a list of one assistant message."),
        _('Write [{"role": "assistant", "content": ...}].'),
    ),
    "input_is_answered": (
        _("The input ends with an answer of the assistant."),
        _("End the input with the user's message; both outputs answer it."),
    ),
    "image_in_preference": (
        _("A row with a preferred answer has an image."),
        _("Such rows may hold text only."),
    ),
    "tools_not_list": (
        _("“%(key)s” is not a list of definitions."),
        _("List at least one function, or leave the key out."),
    ),
    "too_many_tools": (
        _("“%(key)s” has %(n)s entries; at most %(limit)s are allowed."),
        _("Keep those that the conversation needs."),
    ),
    "bad_tool": (
        _("Entry %(number)s of “%(key)s” is not a function definition."),
        _(
            'Give it a name of letters, digits, "_" or "-"; description is text, '
            'parameters is an object; in tools, type is "function".'
        ),
    ),
    "parallel_not_boolean": (
        _("“parallel_tool_calls” is neither true nor false."),
        _("Write true or false, or leave the key out."),
    ),
    "no_assistant": (
        _("No message is from the assistant: there is no answer to learn."),
        _("Add the answer as a last message with the role assistant."),
    ),
    "last_not_assistant": (
        _("The last message is from “%(role)s”, not from the assistant."),
        _("End with the assistant's answer."),
    ),
    "last_weight_zero": (
        _("The last message has weight 0: its answer would not be learnt."),
        _("Give it weight 1, or no weight."),
    ),
    "no_whole_row": (
        _("The row has something that a line of a file has no place for."),
        _("Edit it turn by turn; look at its further keys."),
    ),
    # one message
    "message_not_object": (
        _("The message is a JSON %(found)s, not an object."),
        _('Write {"role": ..., "content": ...}.'),
    ),
    "extra_message_key": (
        _("The message has the key “%(key)s”, which the chat format does not know."),
        _("Remove it."),
    ),
    "no_role": (
        _("The message has no role."),
        _("Give it system, user, assistant or tool."),
    ),
    "unknown_role": (
        _("“%(role)s” is no role."),
        _("Use system, user, assistant or tool."),
    ),
    "no_content": (
        _("The message has no content."),
        _("Give it text; only an assistant who calls tools may say nothing."),
    ),
    "empty_content": (
        _("The message is empty."),
        _("Write what is said, or remove the message."),
    ),
    "content_not_text": (
        _("The content is a JSON %(found)s, not text."),
        _("Put the text into quotation marks."),
    ),
    "bad_content_part": (
        _("A part of the content has the type “%(type)s”."),
        _("A part is of type text, or, in a user message, image_url."),
    ),
    "image_outside_user": (
        _("Only user messages may have images."),
        _("Move the image to a user message."),
    ),
    "bad_image_url": (
        _("An image has no usable address."),
        _('Write "image_url": {"url": ...} with an http(s) or data:image address.'),
    ),
    "bad_image_type": (
        _("An image is of a kind that providers do not take."),
        _("Use JPEG, PNG or WEBP."),
    ),
    "bad_image_data": (
        _("An image inside the row is not what its address says it is."),
        _("Choose the image's file again, or write an http(s) address."),
    ),
    "image_too_big": (
        _("An image is larger than 10 MB."),
        _("Make it smaller; providers refuse the row."),
    ),
    "weight_not_allowed": (
        _("A message from “%(role)s” has a weight."),
        _("Only assistant messages are learnt; remove the weight."),
    ),
    "bad_weight": (
        _("The weight is %(weight)s."),
        _("Write 0 (not learnt) or 1 (learnt), as a number."),
    ),
    "name_not_text": (
        _("The name is not text."),
        _("Write the name in quotation marks, or leave it out."),
    ),
    "reserved_token": (
        _("The text has the control token %(token)s, which providers refuse."),
        _("Remove it, or write it differently, for example with spaces."),
    ),
    "nul_character": (
        _("The text has a NUL character."),
        _("Remove it; it has no meaning in text."),
    ),
    # tools in a message
    "calls_not_allowed": (
        _("A message from “%(role)s” calls a tool."),
        _("Only the assistant calls tools; change the role."),
    ),
    "tool_calls_not_list": (
        _("“tool_calls” is not a list with at least one call."),
        _("List the calls, or leave the key out."),
    ),
    "bad_tool_call": (
        _("Tool call %(number)s is not complete."),
        _(
            'Write {"id": ..., "type": "function", "function": '
            '{"name": ..., "arguments": "..."}}, and no other key.'
        ),
    ),
    "tool_call_id_twice": (
        _("Two calls have the id “%(id)s”."),
        _("Give each call an id of its own."),
    ),
    "bad_function_name": (
        _("A called function has no usable name."),
        _('Use 1 to 64 letters, digits, "_" or "-".'),
    ),
    "arguments_not_text": (
        _("The arguments of “%(name)s” are not a string."),
        _('Write them as JSON inside a string: "{\\"unit\\": 1}".'),
    ),
    "arguments_not_json": (
        _("The arguments of “%(name)s” are not JSON."),
        _('Write them as JSON inside a string: "{\\"unit\\": 1}".'),
    ),
    "no_tool_call_id": (
        _("The tool's answer does not say which call it answers."),
        _("Add tool_call_id with the id of the call."),
    ),
    "tool_call_id_not_allowed": (
        _("A message from “%(role)s” has a tool_call_id."),
        _("Only a tool message answers a call; remove it."),
    ),
    "unknown_tool_call_id": (
        _("No call just before has the id “%(id)s”, or it is answered already."),
        _("Use the id of a call in the assistant message before, once."),
    ),
    "unanswered_tool_call": (
        _("The tool call “%(id)s” has no answer."),
        _("Add a tool message with this tool_call_id right after the call."),
    ),
    "no_function_name": (
        _("The function's answer does not say which function it is from."),
        _("Add name with the function's name."),
    ),
}


TEXTS |= file_problem_texts.TEXTS


def what_is_wrong(code: str, params: dict[str, Any]) -> str:
    return str(TEXTS[code][0]) % params if code in TEXTS else code


def how_to_mend(code: str) -> str:
    return str(TEXTS[code][1]) if code in TEXTS else ""


def where(message_index: int | None) -> str:
    if message_index is None:
        return ""
    return gettext("message %(number)d") % {"number": message_index}


def describe(problem: dict[str, Any]) -> dict[str, str]:
    """A problem as it is kept on an example, in words."""
    return {
        "where": where(problem["message_index"]),
        "what": what_is_wrong(problem["code"], problem["params"]),
        "mend": how_to_mend(problem["code"]),
    }


class _Dots(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        return "…"


def in_general(code: str) -> str:
    """What is wrong, for all rows that have this problem."""
    return what_is_wrong(code, _Dots())
