"""The stream out of history: one sequence, which goes on where it was cut off."""

from decimal import Decimal

from tests.client.streaming import Serve, Talk, calm, got, is_seq, prices, tick


async def test_history_that_others_are_told_is_asked_for_again(serve: Serve, pauses: list[float]) -> None:
    async def busy(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(type="error", id=1, code="too-many-replays", detail="Try again.", fatal=False)
        await talk.rest()

    server = serve(busy, calm)
    found = await got(is_seq(15), from_="2026-07-01T00:00:00Z", speed=60)
    assert prices(found) == [1, 2, Decimal("3.000000001")]
    assert len(pauses) == 1
    assert [(asked["from"], asked["speed"]) for asked in server.asked] == [("2026-07-01T00:00:00Z", 60)] * 2


async def test_history_is_one_sequence_and_goes_on_where_it_was_cut_off(serve: Serve, pauses: list[float]) -> None:
    async def cut(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(0, tick(1))
        await talk.update(0, 0, tick(2), replayed=True)
        await talk.close(1012, "restart")

    async def on(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(0, 0, tick(3), replayed=True)
        await talk.update(0, 12, tick(4), replayed=True)
        await talk.caught_up(12)
        await talk.update(12, 14, tick(5))
        await talk.rest()

    server = serve(cut, on)
    found = await got(is_seq(14), from_="2026-07-01T00:00:00Z", speed=60)
    assert prices(found) == [1, 2, 3, 4, 5]
    assert [("from" in asked, "resume" in asked) for asked in server.asked] == [(True, False), (False, True)]
    assert len(pauses) == 1
