"""What a client is told when a request is refused: OpenAI's error envelope."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass
class ApiError(Exception):
    """A refusal. `message` says what is wrong, why, and what to do next.

    `param` names the field at fault; `should_retry=False` stops a client that would
    repeat the request although repeating cannot help; `retry_after` says when it can.
    """

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    should_retry: bool | None = None
    retry_after: int | None = None  # seconds

    @property
    def envelope(self) -> dict[str, Any]:
        return {
            "error": {
                "message": self.message,
                "type": self._type,
                "param": self.param,
                "code": self.code,
            }
        }

    @property
    def _type(self) -> str:
        return "invalid_request_error" if self.status < 500 else "server_error"


def invalid(
    message: str, *, param: str | None = None, code: str | None = None
) -> ApiError:
    return ApiError(400, message, code=code, param=param)


def refuse_unknown(found: Iterable[str], known: Container[str]) -> None:
    """Raises ApiError for the first field of a body that the API does not have."""
    for field in sorted(found):
        if field not in known:
            raise invalid(
                f"Unrecognized request argument supplied: {field[:50]}",
                param=field[:50],
                code="unknown_parameter",
            )


def not_found(kind: str, wire_id: str) -> ApiError:
    """No such row, or another organization's: the two must look alike."""
    return ApiError(404, f"No such {kind}: {wire_id}", param="id")


def model_not_found(name: str, allowed: Iterable[str]) -> ApiError:
    """`allowed`: what this server has for everybody."""
    return ApiError(
        404,
        f"The model '{name}' does not exist or you do not have access to it."
        f" This server has {', '.join(allowed) or 'no base model'}, and what was tuned"
        " here by your organization: GET /v1/models lists them all.",
        code="model_not_found",
        param="model",
    )


BUSY = ApiError(
    429,
    "Too many chats are waiting for the model. Ask again in a moment.",
    code="rate_limit_exceeded",
    retry_after=5,
)
