"""The stream where the server's sequence has a break: it is resumed, and else it is an error."""

import pytest

from gridtick.client import (
    GridtickError,
    SequenceBroken,
)
from tests.client.streaming import Serve, Talk, got, is_seq, prices, tick


async def test_a_missing_message_is_fetched_by_resuming(serve: Serve) -> None:
    async def drops(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.update(10, 11, tick(1))
        await talk.update(12, 13, tick(3))
        await talk.rest()

    async def whole(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(11, 12, tick(2), replayed=True)
        await talk.update(12, 13, tick(3), replayed=True)
        await talk.rest()

    server = serve(drops, whole)
    assert prices(await got(is_seq(13))) == [1, 2, 3]
    assert server.asked[1]["resume"] == "t11"


@pytest.mark.parametrize("resumed", ["t10", None])
async def test_a_break_that_stays_is_an_error(serve: Serve, resumed: str | None) -> None:
    async def drops(talk: Talk) -> None:
        await talk.welcome()
        if not server.asked[-1].get("resume"):
            await talk.snapshot(10)
        await talk.update(11, 13)
        await talk.rest()

    server = serve(drops)
    with pytest.raises(SequenceBroken, match="13 follows 11, but the last one was 10") as caught:
        await got(is_seq(13))
    assert (caught.value.resume, len(server.asked)) == ("t10", 2)


@pytest.mark.parametrize("broken", ["heartbeat", "part", "early", "again"])
async def test_every_kind_of_break_is_seen(serve: Serve, broken: str) -> None:
    async def breaks(talk: Talk) -> None:
        await talk.welcome()
        if broken in {"part", "early"}:
            await talk.snapshot(10, part=1, parts=3)
            await (talk.snapshot(10, part=3, parts=3) if broken == "part" else talk.update(10, 11))
        else:
            await talk.snapshot(10)
            await talk.update(10, 11)
            await (talk.heartbeat(12, "t12") if broken == "heartbeat" else talk.update(10, 11))
        await talk.close(4400)

    serve(breaks)
    with pytest.raises(SequenceBroken):
        await got(lambda _: False)


async def test_what_is_no_message_is_another_connection_and_then_an_error(serve: Serve) -> None:
    async def noise(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(type="update", id=1)
        await talk.rest()

    server = serve(noise)
    with pytest.raises(GridtickError, match="none of this protocol"):
        await got(lambda _: False)
    assert len(server.asked) == 2
