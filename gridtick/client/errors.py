"""What can go wrong, as types."""

from collections.abc import Mapping
from typing import Any, Self


class GridtickError(Exception):
    """Any failure of the client."""


class Unreachable(GridtickError):
    """Nothing answers at the address, or not in time."""


class NotInstalled(GridtickError):
    """A package that only this needs is not installed; the sentence says what to install."""


class ApiError(GridtickError):
    """The API refused. `request_id` finds the request in its logs; `errors` names parameters.

    `problem` is all that was answered.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        self.kind = str(problem.get("type", "")).rpartition("/")[2]
        self.detail = str(problem.get("detail") or problem.get("title") or f"status {status}")
        self.request_id: str | None = problem.get("request_id")
        errors = problem.get("errors")
        self.errors: list[dict[str, str]] = errors if isinstance(errors, list) else []
        self.retry_after = retry_after
        super().__init__(self.detail + (f" (request {self.request_id})" if self.request_id else ""))

    def __reduce__(self) -> tuple[type[Self], tuple[int, dict[str, Any], float | None]]:
        # An exception is else made again from its sentence alone, which a pool of processes cannot do with this one.
        return type(self), (self.status, self.problem, self.retry_after)


class Unauthorized(ApiError):
    """401: no good key."""


class Forbidden(ApiError):
    """403: the key lacks a scope."""


class NotFound(ApiError):
    """404: not there, or not for this key."""


class InvalidRequest(ApiError):
    """422: a parameter is refused."""


class TooManyRequests(ApiError):
    """429: a limit of the key or tenant is reached; `retry_after` seconds say when to come again."""


class Unavailable(ApiError):
    """503: a store is away; `retry_after` seconds say when to come again."""


OF_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    422: InvalidRequest,
    429: TooManyRequests,
    503: Unavailable,
}
