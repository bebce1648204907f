"""Middleware: no text of a page turns the direction of what stands beside it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from teams_app.visible_signs import has_signs, in_page


class VisibleSigns:
    """Most answers have no such sign, and are not looked at further."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        is_page = answer.get("Content-Type", "").startswith("text/html")
        if is_page and not answer.streaming and has_signs(answer.content):
            answer.content = in_page(answer.content.decode()).encode()
        return answer
