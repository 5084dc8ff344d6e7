"""Which pages may call the API from a browser: those that the operator names, with a key that they send themselves."""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from api.problems import Problem

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SENT: Final = ("Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID")
_SHOWN: Final = (
    "ETag", "Link", "X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy", "Content-Disposition",
    "Idempotency-Replayed",
)  # fmt: skip
_KEPT_S: Final = 600


class Cors(CORSMiddleware):
    """As Starlette's, but that what it refuses is a problem. No cookies: there are none."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(app, origins, _METHODS, _SENT, expose_headers=_SHOWN, max_age=_KEPT_S)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        origin = request_headers.get("origin", "")[:80]
        detail = f"{origin} may not call this, or not so. The operator names pages in DATA_PROC_API_CORS_ORIGINS."
        raise Problem(403, "origin-refused", detail)
