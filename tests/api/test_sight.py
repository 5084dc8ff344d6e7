"""What a caller sees of derived prices: no more than of those that they are made of."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import polars as pl
import pytest

from api.security import sight
from api.state import State
from db.entitlements import Entitlements
from db.reference.snapshot import INSTRUMENTS, Snapshot, Versions
from service import clock
from tests.api import fakes

SPREAD = "spread.basis.north"
LEGS = (fakes.NODE, "caiso.rt_5min.OTHER")
DERIVED_ONLY = Entitlements(markets=frozenset({"spread", "henry_hub"}))
ADDRESSES = (f"/v1/prices/latest?instrument={SPREAD}", f"/v1/ticks?instrument={SPREAD}&start=2026-07-01T00:00:00Z")
PAST = "start=2026-07-01T00:00:00Z&end=2026-07-02T00:00:00Z"


def definition(tenant: str) -> dict[str, object]:
    legs = [
        {"instrument": name, "weight": weight, "align": "interval"}
        for name, weight in zip(LEGS, ("1", "-1"), strict=True)
    ]
    return {
        "tenant": tenant, "spread": "basis.north", "zone": "America/Los_Angeles", "unit": "USD/MWh", "formula": "x",
        "legs": msgspec.json.encode(legs).decode(), "source": "a desk", "valid_from": None, "valid_to": None,
    }  # fmt: skip


@pytest.fixture
def derived(reads: fakes.FakeReads, request: pytest.FixtureRequest) -> None:
    """A spread of one price, of the tenant that the test names."""
    tenant = getattr(request, "param", "public")
    reads.reference.append(fakes.instrument(SPREAD, tenant, market="spread", product="basis"))
    reads.stored.append(fakes.tick(SPREAD, fakes.START, "42", tenant))
    reads.tables["spreads"] = pl.DataFrame([definition(tenant)], schema=reads.tables["spreads"].schema)


@pytest.mark.usefixtures("derived")
@pytest.mark.parametrize("derived", ["public", "acme"], indirect=True)
async def test_an_own_instrument_of_the_name_of_a_public_leg_uncovers_nothing(
    reads: fakes.FakeReads, state: State
) -> None:
    reads.reference.append(fakes.instrument(LEGS[1]))
    reads.reference += [fakes.instrument(name, "acme") for name in LEGS]
    async with fakes.client(reads, reads.add_key("acme", entitled=DERIVED_ONLY), state) as caller:
        assert [(await caller.get(address)).status_code for address in ADDRESSES] == [404, 404]


@pytest.mark.usefixtures("derived")
@pytest.mark.parametrize("derived", ["acme"], indirect=True)
async def test_a_spread_of_own_prices_alone_is_seen(reads: fakes.FakeReads, state: State) -> None:
    reads.reference = [each for each in reads.reference if each["instrument"] not in LEGS]
    reads.reference += [fakes.instrument(name, "acme") for name in LEGS]
    async with fakes.client(reads, reads.add_key("acme", entitled=DERIVED_ONLY), state) as caller:
        assert [(await caller.get(address)).status_code for address in ADDRESSES] == [200, 200]


@pytest.mark.usefixtures("derived")
@pytest.mark.parametrize("derived", ["acme"], indirect=True)
async def test_an_own_spread_shows_no_older_public_prices_than_may_be_seen(
    reads: fakes.FakeReads, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: fakes.START + timedelta(days=60))
    key = reads.add_key("acme", entitled=Entitlements(history=timedelta(days=10)))
    addresses = [f"/v1/{kind}instrument={SPREAD}&{PAST}" for kind in ("ticks?", "bars?interval=1h&")]
    addresses.append(f"/v1/prices/latest?instrument={SPREAD}&as_of=2026-07-02T00:00:00Z")
    async with fakes.client(reads, key, state) as caller:
        answers = [await caller.get(address) for address in addresses]
    refused = [(each.status_code, each.json()["type"].rpartition("/")[2]) for each in answers]
    assert refused == [(403, "history-limit")] * 3


async def test_what_is_found_under_an_older_reference_is_not_taken_for_the_newer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    present, going_on = [1], asyncio.Event()

    async def snapshot() -> Snapshot:
        return Snapshot(Versions(present[0], present[0]), {"version": pl.DataFrame({"at": [present[0]]})})

    async def slowly(find: Any, tables: Any, visible: Any) -> frozenset[str]:
        at = tables["version"]["at"][0]
        if at == 1:
            await going_on.wait()
        return frozenset({SPREAD}) if at == 2 else frozenset()

    monkeypatch.setattr(sight, "to_thread", slowly)
    made = sight.Sight(snapshot)
    callers = [cast("Any", SimpleNamespace(entitled=Entitlements(markets=frozenset({name})))) for name in "ab"]
    first = asyncio.ensure_future(made.of(callers[0], ("acme",)))
    await asyncio.sleep(0)
    present[0] = 2
    assert (await made.of(callers[1], ("acme",))).hidden == {SPREAD}
    going_on.set()
    assert (await first).version == 1
    assert (await made.of(callers[0], ("acme",))).hidden == {SPREAD}


@pytest.mark.usefixtures("derived")
async def test_a_page_that_was_made_by_an_older_reference_is_not_remembered(
    reads: fakes.FakeReads, state: State, ticking: fakes.Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [1]

    async def snapshot(**_: object) -> Snapshot:
        tables = {"version": pl.DataFrame({"at": held}), INSTRUMENTS: pl.DataFrame()}
        return Snapshot(Versions(held[0], held[0]), tables)

    def hidden(tables: Any, visible: Any) -> frozenset[str]:
        return frozenset({SPREAD}) if tables["version"]["at"][0] == 2 else frozenset()

    monkeypatch.setattr(sight, "hidden", hidden)
    monkeypatch.setattr(state.sight, "_snapshot", snapshot)
    async with fakes.client(reads, reads.add_key("acme", entitled=DERIVED_ONLY), state) as caller:
        reads.version = 2
        ticking.now += 2
        assert (await caller.get(ADDRESSES[0])).status_code == 200  # the newer one has not come here yet
        held[0] = 2
        for _ in range(2):
            ticking.now += 1.5
            assert (await caller.get(ADDRESSES[0])).status_code == 404
