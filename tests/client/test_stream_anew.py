"""A snapshot that begins anew before its last part: the one before it never was."""

from typing import Any

import httpx
import pytest

from gridtick.client import Filled, Reconnecting, SequenceBroken, StreamSnapshot
from tests.client.streaming import Serve, Talk, got, is_seq, prices, tick

FILL = "/v1/changes?channel=ticks&since=x"


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"data": [tick(1), tick(2), tick(3)], "next": None})


def parts(messages: list[Any]) -> list[tuple[int, int]]:
    return [(each.seq, each.part) for each in messages if isinstance(each, StreamSnapshot)]


async def test_a_snapshot_may_begin_anew(serve: Serve) -> None:
    """So much changed while it was sent that the server sends another one."""

    async def overrun(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10, tick(1), part=1, parts=3)
        await talk.snapshot(10, tick(2), part=2, parts=3)
        await talk.snapshot(12, tick(3), part=1, parts=2)
        await talk.snapshot(12, tick(4), part=2, parts=2)
        await talk.update(12, 13, tick(5))
        await talk.rest()

    server = serve(overrun)
    found = await got(is_seq(13))
    assert (parts(found), len(server.asked)) == ([(10, 1), (10, 2), (12, 1), (12, 2)], 1)
    assert prices(found) == [1, 2, 3, 4, 5]


async def lost_within(talk: Talk) -> None:
    """The log is lost while a snapshot is sent, which nobody ends; what it held is in the gap."""
    await talk.welcome()
    await talk.snapshot(10, tick(1), part=1, parts=2)
    await talk.gap("lost", FILL)
    await talk.snapshot(20, tick(3), part=1, parts=2)
    await talk.snapshot(20, part=2, parts=2)
    await talk.update(20, 21, tick(4))
    await talk.rest()


async def test_a_gap_ends_a_snapshot(serve: Serve) -> None:
    server = serve(lost_within)
    found = await got(is_seq(21), answer=answer)
    assert not any(isinstance(each, Reconnecting) for each in found)
    assert (parts(found), len(server.asked)) == ([(10, 1), (20, 1), (20, 2)], 1)


async def test_rows_of_half_a_snapshot_count_as_never_told(serve: Serve) -> None:
    """Who takes a first part for all that there is has dropped them: the gap brings them."""
    serve(lost_within)
    found = await got(is_seq(21), answer=answer)
    assert [row["price"] for each in found if isinstance(each, Filled) for row in each.data] == [1, 2]


async def test_nor_do_those_of_a_connection_that_broke(serve: Serve) -> None:
    async def half(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10, tick(1), part=1, parts=2)
        await talk.close(1012)

    async def whole(talk: Talk) -> None:
        await talk.welcome()
        await talk.gap("window", FILL)
        await talk.snapshot(20, tick(3))
        await talk.update(20, 21, tick(4))
        await talk.rest()

    serve(half, whole)
    found = await got(is_seq(21), answer=answer, resume="old")
    assert [row["price"] for each in found if isinstance(each, Filled) for row in each.data] == [1, 2]


@pytest.mark.parametrize("broken", ["part", "update"])
async def test_behind_such_a_gap_nothing_but_a_snapshot_may_come(serve: Serve, broken: str) -> None:
    async def breaks(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10, part=1, parts=2)
        await talk.gap("lost", FILL, to_seq=10)
        await (talk.snapshot(10, part=2, parts=2) if broken == "part" else talk.update(10, 11))
        await talk.close(4400)

    serve(breaks)
    with pytest.raises(SequenceBroken):
        await got(lambda _: False, answer=answer)


async def test_a_token_is_that_of_the_whole_one(serve: Serve) -> None:
    async def cut(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.gap("lost", FILL)
        await talk.snapshot(20, part=1, parts=2)
        await talk.snapshot(30, part=1, parts=2)
        await talk.close(1012)

    server = serve(cut, lost_within)
    await got(is_seq(21), answer=answer)
    assert [asked.get("resume") for asked in server.asked] == [None, "t10"]
