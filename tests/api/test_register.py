"""The newest prices as they are read from Redis, and when nothing is read from there."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from api.reads import register
from api.reads.register import TICK
from db.redis import generation
from db.redis.generation import Generation, State
from service import clock
from tests.api import fakes

START_US: Final = clock.to_us(fakes.START)


class Hashes:
    """The register of each tenant; `states` are what the generation is, look by look."""

    def __init__(self, *states: State) -> None:
        self.prices: dict[str, dict[str, dict[str, Any]]] = {}
        self.states = list(states)

    def put(self, tenant: str, name: str, price: str) -> None:
        more = {"market": "henry_hub", "product": "tick", "ts": START_US, "start": START_US, "flags": 1, "revision": 2}
        row = {"tenant": tenant, "instrument": name, "price": price, **more}
        self.prices.setdefault(tenant, {})[name] = row

    async def read_generation(self, _: object) -> Generation:
        return Generation(self.states.pop(0), "e")

    async def read_latest(self, _: object, tenant: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        held = self.prices.get(tenant, {})
        return {name: held[name] for name in names if name in held}


def given(monkeypatch: pytest.MonkeyPatch, *states: State) -> Hashes:
    hashes = Hashes(*states)
    monkeypatch.setattr(generation, "read_async", hashes.read_generation)
    monkeypatch.setattr(register, "read_latest", hashes.read_latest)
    return hashes


async def test_prices_come_back_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = given(monkeypatch, "ready")
    hashes.put("public", "A", "-0.000000001")
    hashes.put("mine", "A", "123456789.123456789")
    hashes.put("mine", "B", "7.000000000")
    found = await register.read(Redis(), ["mine", "public"], ["A", "B"])
    assert found is not None
    assert dict(found.schema) == dict(TICK)
    assert found.select("tenant", "instrument", "price", "start", "revision", "bid").rows() == [
        ("mine", "A", Decimal("123456789.123456789"), fakes.START, 2, None),
        ("mine", "B", Decimal(7), fakes.START, 2, None),
        ("public", "A", Decimal("-0.000000001"), fakes.START, 2, None),
    ]


@pytest.mark.parametrize("state", ["missing", "building"])
async def test_a_register_that_is_not_whole_is_not_read(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    given(monkeypatch, state).put("public", "A", "1")
    assert await register.read(Redis(), ["public"], ["A"]) is None


@pytest.mark.parametrize(("after", "found"), [("ready", True), ("missing", False), ("building", False)])
async def test_a_price_that_is_missing_is_believed_of_a_whole_register(
    monkeypatch: pytest.MonkeyPatch, after: State, *, found: bool
) -> None:
    given(monkeypatch, "ready", after).put("public", "A", "1")
    read = await register.read(Redis(), ["public"], ["A", "B"])
    assert (read is not None) == found
    assert read is None or read["instrument"].to_list() == ["A"]
