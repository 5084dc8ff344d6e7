"""Pages of pairs: what is hidden of a name leaves no trace, in no row, cursor or length of a page."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from api.ranges import whose
from api.reads import positions
from api.reads.ports import Names, Page, Window
from db.clickhouse.bounds import BarPosition
from db.entitlements import Entitlements
from pipeline.schema import INSTANT
from tests.api import fakes

START = datetime(2026, 7, 1, tzinfo=UTC)
SCHEMA = {"tenant": pl.String(), "instrument": pl.String(), "start": INSTANT}
Pair = tuple[str, str]


def reference(*pairs: Pair) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=["tenant", "instrument"], orient="row")


@pytest.mark.parametrize(
    ("pairs", "groups"),
    [
        ([("public", "A"), ("public", "B")], [(["public"], ["A", "B"])]),
        ([("public", "B"), ("t", "B")], [(["public", "t"], ["B"])]),
        ([("public", "B"), ("t", "A")], [(["public"], ["B"]), (["t"], ["A"])]),
        ([("public", "B"), ("t", "A"), ("t", "B")], [(["public"], ["B"]), (["t"], ["A", "B"])]),
    ],
)
def test_no_other_pair_is_read(pairs: list[Pair], groups: list[Any]) -> None:
    assert whose.groups(reference(*pairs)) == groups


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_pages_of_two_tenants_are_one_list(limit: int) -> None:
    chance, seen = random.Random(limit), reference(("public", "B"), ("t", "A"), ("t", "B"))
    rows = [
        {"tenant": tenant, "instrument": name, "start": START + timedelta(minutes=minute)}
        for tenant in ("public", "t") for name in "AB" for minute in range(9) if chance.random() < 0.7
    ]  # fmt: skip
    stored = pl.DataFrame(rows, schema=SCHEMA).sort(whose.BARS)

    async def read(tenants: Names, names: Names, window: Window) -> Page:
        after = positions.read_position(BarPosition, window.after)
        there = [
            row for row in stored.iter_rows(named=True)
            if row["tenant"] in tenants and row["instrument"] in names
            and (after is None or (row["start"], row["instrument"], row["tenant"]) > after)
        ]  # fmt: skip
        return positions.page(pl.DataFrame(there, schema=SCHEMA), window.limit, whose.BARS)

    visible, found, after = stored.join(seen, on=["tenant", "instrument"], how="semi"), list[Pair](), None
    while True:
        page = await whose.page(read, seen, Window(START, START + timedelta(days=1), after, limit), whose.BARS)
        found += page.rows.select(whose.BARS).rows()
        if (after := page.following) is None:
            break
        assert page.rows.height == limit
        assert positions.read_position(BarPosition, after) == found[-1]
    assert found == visible.select(whose.BARS).rows()


@pytest.mark.parametrize(
    "answer",
    [
        "ticks?",
        "ticks?revisions=true&",
        "ticks?format=csv&",
        "bars?interval=1h&",
        "bars?interval=1m&fill=hold&end=2026-07-01T01:00:00Z&",
    ],
)
async def test_a_hidden_price_of_an_own_name_is_not_read(
    reads: fakes.FakeReads, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads.reference.append(fakes.instrument(fakes.NODE, "acme"))
    asked = list[Pair]()
    for name in ("ticks", "bars"):
        monkeypatch.setattr(reads, name, _watched(getattr(reads, name), asked))
    key = reads.add_key("acme", entitled=Entitlements(markets=frozenset({"henry_hub"})))
    address = f"/v1/{answer}instrument={fakes.NODE}&instrument={fakes.GAS}&start=2026-07-01T00:00:00Z"
    async with fakes.client(reads, key) as caller:
        assert (await caller.get(address)).status_code == 200
    assert set(asked) == {("acme", fakes.NODE), ("public", fakes.GAS)}


def _watched(read: Any, asked: list[Pair]) -> Any:
    async def watched(tenants: Names, names: Names, *more: Any, **named: Any) -> Page:
        asked.extend((tenant, name) for tenant in tenants for name in names)
        return await read(tenants, names, *more, **named)

    return watched
