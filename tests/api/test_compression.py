import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api.wire.compression import LEAST, Compression
from service import zstd

_TEXT = b'{"price":31.20549},' * 400
_LONG = [b"x" * 200_000, b"", b"y" * 10]


async def _page(request: Request) -> Response:
    size, kind = int(request.query_params.get("size", len(_TEXT))), request.query_params.get("type", "application/json")
    tag = '"abc"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(_TEXT[:size], media_type=kind, headers={"ETag": tag, "Vary": "Accept, Accept-Encoding"})


async def _stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in _LONG:
            yield piece
        if "broken" in request.query_params:
            raise RuntimeError("in the middle")

    return StreamingResponse(pieces(), media_type=request.query_params.get("type", "application/x-ndjson"))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = Compression(Starlette(routes=[Route("/page", _page), Route("/stream", _stream)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def _got(
    http: httpx.AsyncClient, address: str, accepted: str | None, **headers: str
) -> tuple[httpx.Response, bytes]:
    """The answer and its bytes as they were sent."""
    request = http.build_request("GET", address, headers=headers)
    del request.headers["accept-encoding"]
    if accepted is not None:
        request.headers["accept-encoding"] = accepted
    answer = await http.send(request, stream=True)
    return answer, b"".join([piece async for piece in answer.aiter_raw()])


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None), ("", None), ("identity", None), ("br", None), ("gzip", "gzip"), ("zstd", "zstd"), ("*", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"), ("gzip;q=1, zstd;q=0.5", "gzip"), ("GZIP", "gzip"),
        ("zstd;q=0, gzip", "gzip"), ("zstd;q=0, *", "gzip"), ("gzip;q=0", None), ("*;q=0", None),
        ("identity, gzip;q=0.5", None), ("identity;q=0.5, gzip", "gzip"), ("gzip;q=x", None), ("gzip;level=1", "gzip"),
    ],
)  # fmt: skip
async def test_the_coding_that_is_liked_best_is_used(
    http: httpx.AsyncClient, accepted: str | None, coding: str | None
) -> None:
    answer, held = await _got(http, "/page", accepted)
    assert answer.headers.get("content-encoding") == coding
    assert {None: bytes, "gzip": gzip.decompress, "zstd": _unpacked}[coding](held) == _TEXT
    assert answer.headers["content-length"] == str(len(held))
    assert answer.headers["etag"] == ('"abc"' if coding is None else f'"abc-{coding}"')
    assert answer.headers["vary"] == "Accept, Accept-Encoding"


def _unpacked(held: bytes) -> bytes:
    return zstd.ZstdDecompressor().decompress(held)


@pytest.mark.parametrize(
    ("address", "is_packed"),
    [(f"/page?size={LEAST - 1}", False), (f"/page?size={LEAST}", True),
     ("/page?type=application/vnd.apache.parquet", False), ("/page?type=text/csv; charset=utf-8", True),
     ("/stream?type=application/vnd.apache.arrow.stream", False), ("/stream?type=text/event-stream", False)],
)  # fmt: skip
async def test_long_texts_are_compressed(http: httpx.AsyncClient, address: str, is_packed: bool) -> None:
    answer, _ = await _got(http, address, "gzip")
    assert ("content-encoding" in answer.headers) is is_packed


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_stream_is_compressed_as_it_comes(http: httpx.AsyncClient, coding: str) -> None:
    answer, held = await _got(http, "/stream", coding)
    assert answer.headers["content-encoding"] == coding
    assert "content-length" not in answer.headers
    assert {"gzip": gzip.decompress, "zstd": _unpacked}[coding](held) == b"".join(_LONG)


async def test_a_stream_that_breaks_is_not_ended(http: httpx.AsyncClient) -> None:
    with pytest.raises(RuntimeError, match="in the middle"):
        await _got(http, "/stream?broken=1", "gzip")


@pytest.mark.parametrize("tag", ['"abc"', '"abc-gzip"', '"abc-zstd"', '"x", "abc-gzip"'])
async def test_either_form_of_a_tag_is_known_again(http: httpx.AsyncClient, tag: str) -> None:
    answer, held = await _got(http, "/page", "gzip", **{"If-None-Match": tag})
    assert (answer.status_code, held) == (304, b"")
    assert answer.headers["etag"] == ('"abc-gzip"' if "gzip" in tag else '"abc"')
    assert "content-encoding" not in answer.headers
    other, _ = await _got(http, "/page", None, **{"If-None-Match": '"other-gzip"'})
    assert other.status_code == 200
