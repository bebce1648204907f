"""What the tests of the editor look for on its page, and rows they open."""

from datasets_app.models import Example

HOSTILE = '</textarea><img src=x onerror="alert(1)"><script>alert(2)</script>'
CALL = {"id": "c1", "type": "function", "function": {"name": "hp", "arguments": "{}"}}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42"
    "mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOL = {
    "type": "function",
    "function": {
        "name": "hp",
        "parameters": {
            "type": "object",
            "properties": {
                "unit": {"type": "string"},
                "n": {"type": "integer"},
                "side": {"enum": ["left", "right"]},
            },
            "required": ["unit"],
        },
    },
}


def save(page, example: Example) -> Example:
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_text("was changed successfully").wait_for()
    example.refresh_from_db()
    return example


def texts(page) -> list[str]:
    boxes = page.locator(".turn-editor__content")
    return [boxes.nth(n).input_value() for n in range(boxes.count())]


def turn(page, number: int):
    return page.get_by_label(f"Turn {number}", exact=True)


def drafts(page) -> list[str]:
    """The keys of the drafts that the browser keeps."""
    keys = page.evaluate("Object.keys(localStorage)")
    return [key for key in keys if key.startswith("finetune-site:draft:")]
