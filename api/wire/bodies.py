"""The body of a request: its type must be one that the route reads."""

from starlette.requests import Request

from api.problems import Problem


def require_type(request: Request, taken: str) -> None:
    """415 where the request says that its body is of another media type; one that says nothing is taken at its word."""
    given = request.headers.get("Content-Type", taken).partition(";")[0].strip().lower()
    if given != taken:
        detail = f"Content-Type: this route reads {taken}, not {given[:80]!r}. Send Content-Type: {taken}."
        raise Problem(415, "unsupported-media-type", detail)
