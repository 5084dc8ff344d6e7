"""Lists as data frames: exact, over pages, and a batch at a time."""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import polars as pl
import pyarrow as pa
import pytest

from api.formats.writers import writer
from gridtick.client import AsyncClient, Client, GridtickError, NotFound, NotInstalled, Unreachable

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
SCHEMA = {
    "instrument": pl.String(),
    "start": pl.Datetime("us", "UTC"),
    "price": pl.Decimal(18, 9),
    "flags": pl.List(pl.String),
}
EXACT = Decimal("123456789.123456789")


def _rows(first: int, count: int) -> pl.DataFrame:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    rows = [("A", at, EXACT + number, ["VALID"]) for number in range(first, first + count)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _pieces(*frames: pl.DataFrame) -> list[bytes]:
    """The bytes of an answer as the API writes them: the columns, each frame, the end."""
    made = writer("arrow", decimals_as_text=False)
    return [made.write(_rows(0, 0)), *(made.write(frame) for frame in frames), made.finish()]


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Pieces that are counted as they are taken, and maybe break off."""

    def __init__(self, pieces: list[bytes], *, breaks: bool = False) -> None:
        self.taken = 0
        self._pieces = pieces
        self._breaks = breaks

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece
        if self._breaks:
            raise httpx.RemoteProtocolError("incomplete chunked read")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Api:
    """Answers each request with the next of these."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.asked: list[httpx.QueryParams] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params)
        return self._answers.pop(0)

    def client(self) -> Client:
        return Client("http://api.test", KEY, transport=httpx.MockTransport(self))

    def async_client(self) -> AsyncClient:
        return AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(self))


def _long(*frames: pl.DataFrame, breaks: bool = False, complete: str = "") -> httpx.Response:
    headers = {"Gridtick-Complete": complete} if complete else {}
    return httpx.Response(200, stream=Body(_pieces(*frames), breaks=breaks), headers=headers)


def _page(frame: pl.DataFrame, cursor: str | None) -> httpx.Response:
    link = {} if cursor is None else {"Link": f'</v1/x?format=arrow&cursor={cursor}%3D>; rel="next"'}
    return httpx.Response(200, content=b"".join(_pieces(frame)), headers=link)


def test_ticks_and_bars_are_one_long_answer() -> None:
    api = Api(_long(_rows(0, 2), _rows(2, 1), complete="false"))
    rows = api.client().bars("A", interval="1h", as_of="2026-07-02T00:00:00Z")
    frame = rows.to_polars()
    assert frame.schema == pl.Schema(SCHEMA)
    assert frame["price"].to_list() == [EXACT, EXACT + 1, EXACT + 2]
    assert rows.complete is False
    (asked,) = api.asked
    assert dict(asked) == {"instrument": "A", "interval": "1h", "as_of": "2026-07-02T00:00:00Z", "format": "arrow"}


def test_a_small_limit_and_other_lists_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.arrow.MOST", 2)
    api = Api(_page(_rows(0, 2), "c"), _page(_rows(2, 1), "d"), _page(_rows(3, 2), None))
    table = api.client().latest(market="caiso", limit=9).to_arrow()
    assert table["price"].to_pylist() == [EXACT + number for number in range(5)]
    assert [(each["limit"], each.get("cursor")) for each in api.asked] == [("2", None), ("2", "c="), ("2", "d=")]
    api = Api(_page(_rows(0, 2), "c"), _page(_rows(2, 5), None))
    assert api.client().ticks("A", limit=7).to_arrow().num_rows == 7
    assert [(each["limit"], each.get("cursor")) for each in api.asked] == [("7", None), ("5", "c=")]


def test_pandas_keeps_every_digit() -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = Api(_long(_rows(0, 3))).client().ticks("A").to_pandas()
    assert frame.dtypes["price"] == pd.ArrowDtype(pa.decimal128(18, 9))
    assert [frame["price"].sum()] == [3 * EXACT + 3]
    assert frame["start"].dt.year.tolist() == [2026] * 3


def test_batches_are_there_before_the_answer_is_whole() -> None:
    body = Body(_pieces(*[_rows(0, 40_000)] * 20))
    reader = Api(httpx.Response(200, stream=body)).client().ticks("A").to_batches()
    assert reader.schema.names == list(SCHEMA)
    assert reader.read_next_batch().num_rows == 40_000
    assert body.taken < 12
    assert sum(batch.num_rows for batch in reader) == 19 * 40_000


def test_no_rows_have_columns() -> None:
    assert Api(_long()).client().ticks("A").to_polars().schema == pl.Schema(SCHEMA)
    with pytest.raises(GridtickError, match="limit of 0"):
        Api().client().ticks("A", limit=0).to_arrow()


def test_an_answer_that_breaks_off_is_no_table() -> None:
    """Also where all rows are there: the last of them alone are not known to be all."""
    with pytest.raises(Unreachable, match="ended its answer"):
        Api(_long(_rows(0, 2), breaks=True)).client().ticks("A").to_arrow()
    half = httpx.Response(200, stream=Body(_pieces(_rows(0, 2))[:1], breaks=True))
    with pytest.raises(Unreachable, match="ended its answer"):
        Api(half).client().ticks("A").to_arrow()


def test_refusals_have_their_type_and_what_is_no_arrow_is_told() -> None:
    with pytest.raises(NotFound, match="No"):
        Api(httpx.Response(404, json={"detail": "No."})).client().ticks("A").to_polars()
    with pytest.raises(GridtickError, match="not as Gridtick does"):
        Api(httpx.Response(200, content=b"<html>" * 100)).client().ticks("A").to_polars()


def test_a_retry_reads_the_answer_that_is_one(waits: list[float]) -> None:
    api = Api(httpx.Response(503, json={}, headers={"Retry-After": "1"}), _long(_rows(0, 1)))
    assert api.client().ticks("A").to_polars().height == 1
    assert len(waits) == 1


async def test_the_async_client_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(_long(_rows(0, 2), _rows(2, 1), complete="true"))
    rows = api.async_client().bars("A", interval="1h")
    assert (await rows.to_polars())["price"].to_list() == [EXACT, EXACT + 1, EXACT + 2]
    assert rows.complete is True
    if importlib.util.find_spec("pandas"):
        frame = await Api(_long(_rows(0, 2))).async_client().ticks("A").to_pandas()
        assert [frame["price"].sum()] == [2 * EXACT + 1]
    batches = Api(_long(_rows(0, 2), _rows(2, 1))).async_client().ticks("A").to_batches()
    assert [batch.num_rows async for batch in batches] == [2, 1]
    monkeypatch.setattr("gridtick.client.arrow.MOST", 2)
    api = Api(_page(_rows(0, 2), "c"), _page(_rows(2, 1), None))
    assert (await api.async_client().latest(market="x").to_arrow()).num_rows == 3
    assert (await Api(_long()).async_client().ticks("A").to_polars()).schema == pl.Schema(SCHEMA)


async def test_the_async_client_fails_the_same() -> None:
    with pytest.raises(Unreachable, match="ended its answer"):
        await Api(_long(_rows(0, 2), breaks=True)).async_client().ticks("A").to_arrow()
    with pytest.raises(GridtickError, match="not as Gridtick does"):
        await Api(httpx.Response(200, content=b"<html>" * 100)).async_client().ticks("A").to_arrow()


class Endless(Body):
    """Pieces, and then nothing more for ever."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            yield piece
        await asyncio.Event().wait()


async def test_who_does_not_wait_any_more_is_let_go() -> None:
    """The thread that unpacks ends too."""
    answer = httpx.Response(200, stream=Endless(_pieces(_rows(0, 2))[:2]))
    batches = Api(answer).async_client().ticks("A").to_batches()
    assert (await anext(batches)).num_rows == 2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await anext(batches)
    assert answer.is_closed


@pytest.mark.parametrize(
    ("package", "method"), [("pyarrow", "to_arrow"), ("polars", "to_polars"), ("pandas", "to_pandas")]
)
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, package: str, method: str) -> None:
    rows: Any = Api(_long(_rows(0, 1))).client().ticks("A")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotInstalled, match=rf"needs {package}.*pip install 'gridtick-client\[(arrow|polars|pandas)\]'"):
        getattr(rows, method)()
