"""What is wrong with an answer to a hostile text: a failure, or a header that repeats it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_VISIBLE: Final = re.compile(r"[ -~]*")
# Headers that hold something of the request, and how it may stand there.
_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "link": re.compile(r'<[!#-;=?-~]*>; rel="[a-z]+"(, <[!#-;=?-~]*>; rel="[a-z]+")*'),
    "content-disposition": re.compile(
        r"""(attachment|inline); filename="[A-Za-z0-9._-]+"(; filename\*=UTF-8''[A-Za-z0-9%._-]+)?"""
    ),
    "allow": re.compile(r"[A-Z]+(, [A-Z]+)*"),
    "x-request-id": re.compile(r"[A-Za-z0-9._-]{1,128}"),
    "content-type": re.compile(r"[a-z0-9/+.-]+(; [a-z-]+=[A-Za-z0-9.-]+)*"),
}
_KNOWN: Final = frozenset({
    "date", "server", "content-length", "transfer-encoding", "connection", "vary", "etag", "cache-control", "age",
    "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "idempotency-replayed", "content-encoding",
    "x-content-type-options", "referrer-policy", "content-security-policy", "last-modified", "accept-ranges",
    "x-frame-options", "strict-transport-security", "location", "trailer", "cross-origin-resource-policy",
    "gridtick-complete",
    *_SHAPES,
})  # fmt: skip


def faults(status: int, headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Sentences; none where all is well."""
    if status >= 500:
        yield f"answered {status}"
    for name, value in headers:
        if name not in _KNOWN:
            yield f"has a header {name!r} that no route sends"
        if not _VISIBLE.fullmatch(value):
            yield f"{name} holds what is no visible letter: {value!r}"
        if name in _SHAPES and not _SHAPES[name].fullmatch(value):
            yield f"{name} repeats what was sent: {value!r}"
