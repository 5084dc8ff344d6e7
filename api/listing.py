"""The answer of a list: `{"data": […], "next": …, "query": {…}}`; with `as_of`, `complete` stands before `query`."""

from typing import Final, NamedTuple

from starlette.responses import Response

from api.formats.media import MEDIA, FormatName

# What a client may keep, as `Cache-Control`: an answer that can never change (a complete `as_of`), that of a closed
# range (a correction is seen after a minute), any other one as long as its tag is the same.
FOR_EVER: Final = "private, max-age=31536000, immutable"
SETTLED: Final = "private, max-age=60"
CHECKED: Final = "private, no-cache"
_HEAD: Final = b'{"data":['


def tail(next_cursor: str | None, query: str, complete: bool | None = None) -> bytes:  # noqa: FBT001
    """The text after the rows; `query` is JSON."""
    following = "null" if next_cursor is None else f'"{next_cursor}"'
    whole = "" if complete is None else f'"complete":{"true" if complete else "false"},'
    return f'],"next":{following},{whole}"query":{query}}}'.encode()


class Around(NamedTuple):
    """What stands around the rows of a list: the text after them, and the headers."""

    tail: bytes
    headers: dict[str, str]

    def body(self, rows: bytes) -> bytes:
        """The whole answer; `rows` are JSON objects joined by commas."""
        return b"".join((_HEAD, rows, self.tail))

    def response(self, rows: bytes) -> Response:
        """The whole answer as a response."""
        return Response(self.body(rows), media_type="application/json", headers=self.headers)

    def file(self, body: bytes, name: FormatName, disposition: str) -> Response:
        """The whole answer in another format: where its `next` and `complete` would be are headers."""
        headers = {**self.headers, "Content-Disposition": disposition}
        return Response(body, headers=headers, media_type=MEDIA[name].content_type)
