"""Denied accesses on their way: few records whatever comes, and none is lost silently."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from api.security.audit import network
from api.security.denials import MOST, WINDOW_S, Denials, Denied
from db.postgres.audit import Entry
from tests.api.fakes import Ticking


class Store:
    """Takes entries unless it is away."""

    def __init__(self) -> None:
        self.taken: list[Entry] = []
        self.away = False

    async def append(self, entries: Sequence[Entry], at: datetime) -> None:
        await asyncio.sleep(0)  # as a server: others run meanwhile
        if self.away:
            raise OSError("away")
        self.taken += entries

    def counts(self) -> list[Any]:
        return [each.detail["count"] for each in self.taken]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def denials(store: Store, ticking: Ticking) -> Denials:
    return Denials(store.append, ticking)


def denied(n: int = 0) -> Denied:
    return Denied("acme", "key1", "scope", f"GET /v1/route{n}", "")


async def test_a_flood_of_equal_ones_is_one_record_at_once_and_one_a_minute(
    store: Store, denials: Denials, ticking: Ticking
) -> None:
    for second in range(150):
        for _ in range(100):
            denials.note(denied(), f"request-{second}", {"asked": "bars:read"})
        await denials.write()
        ticking.now += 1
    assert store.counts() == [100, 6_000, 6_000]
    await denials.write(every=True)
    assert sum(store.counts()) == 15_000
    first = store.taken[0]
    assert (first.tenant, first.actor, first.actor_tenant, first.outcome) == ("acme", "key1", "acme", "denied")
    assert (first.action, first.target, first.request_id) == ("access.denied", "GET /v1/route0", "request-0")
    assert first.detail.keys() == {"reason", "asked", "count", "first", "last"}


async def test_what_was_quiet_for_a_minute_is_told_at_once_again(
    store: Store, denials: Denials, ticking: Ticking
) -> None:
    for _ in range(2):
        denials.note(denied(), "r", {})
        await denials.write()
        ticking.now += WINDOW_S
        await denials.write()
    assert store.counts() == [1, 1]


async def test_what_cannot_be_held_is_counted_in_a_record_of_its_own(
    store: Store, denials: Denials, ticking: Ticking
) -> None:
    for n in range(MOST + 250):
        denials.note(denied(n), "r", {"asked": "x"})
    denials.note(denied(3), "r", {})
    await denials.write()
    assert len(store.taken) == MOST + 1
    [others] = [each for each in store.taken if each.detail["reason"] == "more-than-can-be-held"]
    assert (others.tenant, others.detail["count"], others.actor_tenant) == ("public", 250, "")
    assert sum(store.counts()) == MOST + 251
    ticking.now += WINDOW_S
    await denials.write()
    denials.note(denied(MOST + 1), "r", {})
    await denials.write()
    assert store.taken[-1].target == f"GET /v1/route{MOST + 1}", "there is room again"


async def test_while_the_store_is_away_they_wait(
    store: Store, denials: Denials, ticking: Ticking, caplog: pytest.LogCaptureFixture
) -> None:
    store.away = True
    for _ in range(3):
        denials.note(denied(), "r", {})
        writing = asyncio.ensure_future(denials.write())
        await asyncio.sleep(0)
        denials.note(denied(), "r", {})
        await writing
        ticking.now += 100
    assert [each.levelno for each in caplog.records] == [logging.WARNING], "once, not every second"
    store.away = False
    await denials.write()
    assert store.counts() == [6]


async def test_what_waits_is_written_in_the_end(store: Store, denials: Denials) -> None:
    denials.note(denied(), "r", {})
    await denials.write()
    denials.note(denied(), "r", {})
    denials.stop()
    await denials.run()
    assert store.counts() == [1, 1]


async def test_what_is_lost_in_the_end_is_logged(
    store: Store, denials: Denials, caplog: pytest.LogCaptureFixture
) -> None:
    store.away = True
    denials.note(denied(), "r", {})
    denials.stop()
    await denials.run()
    assert caplog.records[-1].levelno == logging.ERROR
    assert getattr(caplog.records[-1], "number", None) == 1


@pytest.mark.parametrize(
    ("host", "shown"),
    [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("", "unknown"),
     ("::ffff:203.0.113.77", "203.0.113.0/24"), ("testclient", "unknown")],
)  # fmt: skip
def test_of_an_address_the_network_is_kept(host: str, shown: str) -> None:
    assert network(host) == shown
