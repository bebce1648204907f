"""Which drafts the server has stored, so that browsers can forget them.

A browser keeps what somebody types under an id, which comes with the form. Where the
form is stored the id goes into the session, and from there into the next page.
"""

from django.http import HttpRequest

KEY = "saved_drafts"
N_KEPT = 20


def note_saved(request: HttpRequest, draft_id: str) -> None:
    if draft_id:
        request.session[KEY] = [*saved(request), draft_id][-N_KEPT:]


def saved(request: HttpRequest) -> list[str]:
    return list(request.session.get(KEY, ()))
