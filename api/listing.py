"""The answer of a list: `{"data": […], "next": …, "query": {…}}`; with `as_of`, `complete` stands before `query`."""

from typing import Final, NamedTuple

from starlette.responses import Response

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

    def response(self, rows: bytes) -> Response:
        """The whole answer; `rows` are JSON objects joined by commas."""
        body = b"".join((_HEAD, rows, self.tail))
        return Response(body, media_type="application/json", headers=self.headers)
