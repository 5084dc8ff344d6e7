"""`as_of`: what was known at an instant, whether that can still change, and what is refused."""

from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from api.reads.stores import BAR
from pipeline.flags import Flag
from service import clock
from tests.api import fakes
from tests.api.answers import data, prices

NOW = fakes.START + timedelta(days=9)
SINCE = "start=2026-07-01T00:00:00Z"
LISTS = (
    f"/v1/ticks?instrument={fakes.GAS}&{SINCE}",
    f"/v1/ticks?instrument={fakes.GAS}&{SINCE}&revisions=true",
    f"/v1/bars?instrument={fakes.GAS}&interval=1h&{SINCE}",
    f"/v1/prices/latest?instrument={fakes.GAS}",
)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(clock, "now_us", lambda: clock.to_us(NOW))


def text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def bar(start: datetime, updated_at: datetime, count: int = 1) -> dict[str, object]:
    row: dict[str, object] = {}
    row |= dict.fromkeys(BAR)
    row |= dict.fromkeys(("open", "high", "low", "close"), Decimal("20.5"))
    row |= {"tenant": "public", "instrument": fakes.GAS, "interval": "1h", "start": start, "count": count}
    row |= {"end": start + timedelta(hours=1), "flags": int(Flag.VALID), "revision": 0}
    return row | {"updated_at": updated_at}


async def test_ticks_as_they_were_known(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{LISTS[0]}&as_of=2026-07-01T00:02:00Z")
    assert [str(price) for price in prices(answer)] == ["100.5", "101.5", "102.5"]
    assert all(row["known_at"] <= "2026-07-01T00:02:00Z" for row in data(answer))
    assert list(answer.json()) == ["data", "next", "complete", "query"]
    assert answer.json()["complete"] is True
    assert answer.json()["query"]["as_of"] == "2026-07-01T00:02:00Z"


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize(("beyond", "complete"), [(-1, True), (0, False), (1, False)])
async def test_what_may_still_change_is_told(
    reads: fakes.FakeReads, http: httpx.AsyncClient, address: str, beyond: int, complete: bool
) -> None:
    """What is known at the very instant up to which all has landed may still come."""
    reads.landed = fakes.START + timedelta(hours=1)
    at = reads.landed + timedelta(microseconds=beyond)
    answer = await http.get(f"{address}&as_of={text(at)}")
    assert answer.json()["complete"] is complete


@pytest.mark.parametrize("address", LISTS)
async def test_without_it_nothing_is_said_of_that(http: httpx.AsyncClient, address: str) -> None:
    assert "complete" not in (await http.get(address)).json()


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("2026-07-01T00:00:00", "has no offset"),
        ("2026-07-01", "has no offset"),
        ("yesterday", "is no instant"),
        ("", "is no instant"),
        ("2026-07-10T00:00:00.000001Z", "lies in the future"),
        ("2099-01-01T00:00:00Z", "lies in the future"),
        ("2200-01-01T00:00:00Z", "lies outside"),
    ],
)
async def test_instants_that_are_refused(http: httpx.AsyncClient, address: str, given: str, why: str) -> None:
    answer = await http.get(f"{address}&as_of={given}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"].endswith("as_of")
    assert why in answer.json()["detail"]


async def test_now_is_no_future(http: httpx.AsyncClient) -> None:
    assert (await http.get(f"{LISTS[0]}&as_of={text(NOW)}")).status_code == 200


@pytest.mark.parametrize("given", ["1", "True", "yes", "", "2"])
async def test_revisions_are_asked_for_in_one_way(http: httpx.AsyncClient, given: str) -> None:
    answer = await http.get(f"/v1/ticks?instrument={fakes.GAS}&{SINCE}&revisions={given}")
    assert answer.status_code == 422
    assert "takes true or false" in answer.json()["detail"]


async def test_revisions_are_every_publication(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    later = fakes.START + timedelta(days=1)
    reads.stored.append(fakes.tick(fakes.NODE, fakes.START, "7", known_at=later, revision=1))
    address = f"/v1/ticks?instrument={fakes.NODE}&{SINCE}&revisions=true"
    assert [(row["price"], row["revision"]) for row in data(await http.get(address))] == [
        (Decimal("-31.123456789"), 0), (7, 1),
    ]  # fmt: skip
    before = await http.get(f"{address}&as_of=2026-07-01T23:59:59Z")
    assert [row["revision"] for row in data(before)] == [0]


@pytest.mark.parametrize(
    "address", ["/v1/bars?interval=1h&revisions=true", "/v1/instruments?as_of=2026-07-01T00:00:00Z"]
)
async def test_where_it_means_nothing_it_is_refused(http: httpx.AsyncClient, address: str) -> None:
    assert (await http.get(f"{address}&instrument={fakes.GAS}")).status_code == 422


async def test_pages_go_on_with_the_same_instant(http: httpx.AsyncClient) -> None:
    address = f"{LISTS[0]}&as_of=2026-07-01T00:02:00Z&limit=2"
    first = await http.get(address)
    second = await http.get(first.links["next"]["url"])
    assert [str(price) for price in prices(second)] == ["102.5"]
    assert second.json()["next"] is None
    cursor = first.json()["next"]
    assert (await http.get(f"{LISTS[0]}&as_of=2026-07-01T00:03:00Z&cursor={cursor}")).status_code == 422
    assert (await http.get(f"{LISTS[0]}&cursor={cursor}")).status_code == 422


@pytest.mark.parametrize(("address", "span"), [(LISTS[0], 1), (LISTS[2], 1), (f"{LISTS[2]}&interval=1d", 31)])
async def test_without_a_start_the_range_leads_up_to_it(http: httpx.AsyncClient, address: str, span: int) -> None:
    address = address.replace(f"&{SINCE}", "")
    address = address.replace("interval=1h&", "") if "interval=1d" in address else address
    answer = await http.get(f"{address}&as_of=2026-07-05T00:00:00Z")
    start = datetime.fromisoformat(answer.json()["query"]["start"])
    assert start == fakes.START + timedelta(days=4 - span)


async def test_a_bar_is_final_as_it_was_then(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.bar_rows = [bar(fakes.START, fakes.START)]
    for minutes, final in ((1, False), (60, False), (61, True)):
        at = fakes.START + timedelta(minutes=minutes)
        (row,) = data(await http.get(f"{LISTS[2]}&as_of={text(at)}"))
        assert row["is_final"] is final


async def test_the_latest_price_has_the_age_that_it_had(http: httpx.AsyncClient) -> None:
    at = fakes.START + timedelta(minutes=3, seconds=30)
    (row,) = data(await http.get(f"{LISTS[3]}&as_of={text(at)}"))
    assert (row["price"], row["age_seconds"], row["status"]) == (Decimal("103.5"), 30, "live")
    assert data(await http.get(f"{LISTS[3]}&as_of={text(fakes.START - timedelta(seconds=1))}")) == []


async def test_the_latest_prices_of_a_market_in_order_and_in_pages(
    reads: fakes.FakeReads, http: httpx.AsyncClient
) -> None:
    names = [f"caiso.rt_5min.{name}" for name in "CAB"]
    reads.reference += [fakes.instrument(name) for name in names]
    reads.stored += [fakes.tick(name, fakes.START, str(n)) for n, name in enumerate(names)]
    address: str | None = f"/v1/prices/latest?market=caiso&limit=2&as_of={text(fakes.START)}"
    seen: list[str] = []
    while address:
        answer = await http.get(address)
        seen += [row["instrument"] for row in data(answer)]
        address = answer.links["next"]["url"] if "next" in answer.links else None
    assert seen == [*sorted(names), fakes.NODE]


async def test_it_is_never_taken_from_what_is_kept(reads: fakes.FakeReads, caller: httpx.AsyncClient) -> None:
    """The latest prices are remembered by their address; an answer about the past must not become the present one."""
    before = f"{LISTS[3]}&as_of={text(fakes.START)}"
    assert prices(await caller.get(LISTS[3])) == [Decimal("104.5")]
    assert prices(await caller.get(before)) == [Decimal("100.5")]
    reads.stored.append(fakes.tick(fakes.GAS, fakes.START, "1", known_at=fakes.START))
    assert prices(await caller.get(before)) != [Decimal("100.5")]
    assert prices(await caller.get(LISTS[3])) == [Decimal("104.5")]


async def test_a_tenant_sees_no_more_of_the_past(reads: fakes.FakeReads) -> None:
    address = f"/v1/ticks?instrument={fakes.SECRET_NODE}&{SINCE}&as_of={text(NOW)}"
    async with fakes.client(reads, reads.add_key()) as public, fakes.client(reads, reads.add_key("other")) as other:
        assert (await public.get(address)).status_code == 404
        assert prices(await other.get(address)) == [1]


@pytest.mark.parametrize("address", LISTS)
async def test_without_the_ledger_there_is_no_answer(
    reads: fakes.FakeReads, http: httpx.AsyncClient, address: str
) -> None:
    assert (await http.get(address)).status_code == 200
    known_until = reads.known_until

    async def away() -> datetime:
        reads.gone = {"postgres": "away"}
        try:
            return await known_until()
        finally:
            reads.gone = {}

    reads.known_until = away
    assert (await http.get(f"{address}&as_of={text(fakes.START)}")).status_code == 503
