"""What a gap leaves out is fetched: in order, once, and not before it can be whole."""

from typing import Any

import httpx
import pytest

from gridtick.client import CaughtUp, Filled, Gap, GridtickError, Message, Reconnecting, StreamSnapshot, Update
from gridtick.client.stream import seen
from tests.client.streaming import Serve, Talk, got, is_seq, prices, tick

FILL = "/v1/changes?channel=ticks&instrument=A&instrument=B&since=2026-07-01T01:00:00Z"


class Changes:
    """`/v1/changes`, that gives these pages: a cursor is the number of a page. `away`: answers 503 so often first."""

    def __init__(self, *pages: list[dict[str, Any]], away: int = 0) -> None:
        self.asked: list[httpx.QueryParams] = []
        self._pages = pages
        self._away = away

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params)
        if self._away:
            self._away -= 1
            return httpx.Response(503, json={"detail": "Come again."})
        number = int(request.url.params.get("cursor", 0))
        following = f"{number + 1}" if number + 1 < len(self._pages) else None
        return httpx.Response(200, json={"data": self._pages[number], "next": following})


def kinds(messages: list[Message[Any]]) -> list[str]:
    """The kinds of the messages that say something of data."""
    told = (StreamSnapshot, Update, Gap, Filled, Reconnecting)
    return [type(each).__name__ for each in messages if isinstance(each, told)]


async def gone(talk: Talk, *fill: str) -> None:
    """The log does not reach back: a gap, a snapshot, and what is live, all at once."""
    await talk.welcome()
    await talk.gap("window", *(fill or [FILL]))
    await talk.snapshot(20, part=1, parts=2)
    await talk.snapshot(20, part=2, parts=2)
    await talk.caught_up(20)
    await talk.update(20, 21, tick(4))
    await talk.update(21, 22, tick(5))
    await talk.rest()


async def test_a_gap_is_filled_behind_the_snapshot_page_by_page(serve: Serve) -> None:
    changes = Changes([tick(1), tick(2)], [tick(3)])
    serve(gone)
    found = await got(is_seq(22), answer=changes)
    assert kinds(found) == [
        "Gap", "StreamSnapshot", "StreamSnapshot", "Filled", "Filled", "Filled", "Update", "Update",
    ]  # fmt: skip
    assert prices(found) == [1, 2, 3, 4, 5]
    assert [each.is_last for each in found if isinstance(each, Filled)] == [False, False, True]
    assert [dict(params) for params in changes.asked] == [
        {"channel": "ticks", "instrument": "A", "since": "2026-07-01T01:00:00Z"} | more
        for more in ({}, {"cursor": "1"})
    ]
    assert changes.asked[1].get_list("instrument") == ["A", "B"]


async def test_each_row_comes_once_among_what_was_and_will_be_sent(serve: Serve) -> None:
    """A gap's rows may repeat what came before it, and be repeated by what comes behind it."""

    async def before(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.update(10, 11, tick(1))
        await talk.close(4503)

    corrected = tick(1) | {"revision": 1, "price": 100}
    changes = Changes([tick(1), tick(2), corrected], [corrected, tick(3), tick(4)])
    serve(before, gone)
    assert prices(await got(is_seq(22), answer=changes)) == [1, 2, 100, 3, 4, 5]


async def test_prices_are_how_things_are_and_none_is_left_out(serve: Serve) -> None:
    """A row that came out of a gap may be older than the snapshot there: the newest price comes all the same."""
    serve(gone)
    found = await got(is_seq(22), "prices", answer=Changes([tick(4)]))
    assert prices(found) == [4, 4, 5]


async def test_what_is_skipped_is_fetched_at_once(serve: Serve) -> None:
    async def slow(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.gap("slow", FILL, to_seq=14)
        await talk.update(14, 15, tick(5))
        await talk.rest()

    serve(slow)
    found = await got(is_seq(15), answer=Changes([tick(3), tick(4)]))
    assert kinds(found) == ["StreamSnapshot", "Gap", "Filled", "Filled", "Update"]
    assert prices(found) == [3, 4, 5]


async def test_several_addresses_give_one_order(serve: Serve) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        numbers = {"A": [1, 4, 5], "B": [2, 3, 6], "C": []}[request.url.params["instrument"]]
        at = int(request.url.params.get("cursor", 0))
        rows = [tick(number) for number in numbers[at : at + 1]]
        return httpx.Response(200, json={"data": rows, "next": f"{at + 1}" if at < len(numbers) else None})

    async def slow(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.gap("slow", *(f"/v1/changes?instrument={name}" for name in "ABC"))
        await talk.update(77, 78)
        await talk.rest()

    serve(slow)
    assert prices(await got(is_seq(78), answer=answer)) == [1, 2, 3, 4, 5, 6]


async def test_a_gap_that_cannot_be_filled_now_is_told_again(serve: Serve) -> None:
    """Else a token behind the gap would hide it."""

    changes = Changes([tick(1)], [tick(2)], away=1)
    server = serve(gone)
    found = await got(is_seq(22), answer=changes, resume="old")
    assert prices(found) == [1, 2, 4, 5]
    assert [asked["resume"] for asked in server.asked] == ["old", "old"]
    (again,) = [each for each in found if isinstance(each, Reconnecting)]
    assert again.reason == "a gap cannot be filled now: Come again."


async def test_a_gap_that_breaks_off_half_way_repeats_nothing(serve: Serve) -> None:
    pages = Changes([tick(1), tick(2)], [tick(3)])
    broken = iter([True])

    def answer(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params and next(broken, False):
            return httpx.Response(503, json={"detail": "Away."})
        return pages(request)

    serve(gone)
    assert prices(await got(is_seq(22), answer=answer)) == [1, 2, 3, 4, 5]


async def test_a_gap_that_nobody_fills_says_so_and_goes_on(serve: Serve) -> None:
    changes = Changes([tick(1)])
    serve(gone)
    found = await got(is_seq(22), answer=changes, fill=False)
    assert (prices(found), changes.asked) == ([4, 5], [])


async def test_a_curve_is_filled_with_how_it_is(serve: Serve) -> None:
    """Its address answers one snapshot, and 404 where there is none yet."""
    snapshot = {"curve": "A", "session": "2026-07-01", "version": 2, "known_at": "2026-07-01T01:00:00Z", "price": "1"}

    async def whole(talk: Talk) -> None:
        await gone(talk, "/v1/curves/A/snapshots/latest", "/v1/curves/B/snapshots/latest")

    def answer(request: httpx.Request) -> httpx.Response:
        if "/A/" in request.url.path:
            return httpx.Response(200, json=snapshot)
        return httpx.Response(404, json={"type": "/docs/errors/not-found", "detail": "There is no snapshot yet."})

    serve(whole)
    found = await got(is_seq(22), answer=answer)
    assert [each.data for each in found if isinstance(each, Filled) and each.data] == [[snapshot]]
    assert prices(found)[-2:] == [4, 5]


@pytest.mark.parametrize("address", ["http://elsewhere.test/v1/changes", "//elsewhere.test/x", "v1/changes"])
async def test_no_other_place_is_shown_the_key(serve: Serve, address: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": [], "next": None})

    async def elsewhere(talk: Talk) -> None:
        await gone(talk, address)

    serve(elsewhere)
    with pytest.raises(GridtickError, match="is not asked"):
        await got(is_seq(22), answer=answer)
    assert asked == []


async def test_an_address_with_the_server_s_name_is_its_own(serve: Serve) -> None:
    async def whole(talk: Talk) -> None:
        await gone(talk, f"http://api.test{FILL}")

    changes = Changes([tick(1)])
    serve(whole)
    assert prices(await got(is_seq(22), answer=changes)) == [1, 4, 5]


async def test_heartbeats_while_a_gap_is_open_are_no_place_to_go_on_from(serve: Serve) -> None:
    async def cut(talk: Talk) -> None:
        await talk.welcome()
        await talk.gap("lost", FILL)
        await talk.heartbeat(20, "too early")
        await talk.close(4503)

    server = serve(cut, gone)
    await got(lambda each: isinstance(each, CaughtUp), answer=Changes([]), resume="old")
    assert [asked["resume"] for asked in server.asked] == ["old", "old"]


Row = dict[str, Any]


@pytest.mark.parametrize(
    ("row", "others"),
    [
        (tick(1), [{"tenant": "acme"}, {"version": 1}, {"revision": 1}, {"known_at": "x"}, {"interval_start": "x"}]),
        ({"instrument": "A", "interval": "1h", "start": "s", "revision": 0, "updated_at": "u"},
         [{"interval": "5m"}, {"start": "t"}, {"revision": 1}, {"updated_at": "v"}]),
        ({"curve": "c", "session": "s", "version": 1}, [{"curve": "d"}, {"session": "t"}, {"version": 2}]),
    ],
)  # fmt: skip
def test_a_publication_is_known_by_what_the_protocol_names(row: Row, others: list[Row]) -> None:
    assert seen.identity(row) == seen.identity(row | {"is_final": True, "mode": "newest", "price": 7})
    assert seen.identity(row) not in {seen.identity(row | other) for other in others}


def test_what_is_remembered_is_bounded() -> None:
    found = seen.Seen(most=3)
    found.sent([tick(number) for number in range(5)])
    assert found.lacking([tick(number) for number in range(5)]) == [tick(0), tick(1)]
    assert list(found.not_filled([tick(0), tick(4)])) == [tick(4)]
