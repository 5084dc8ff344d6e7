"""Bars of every market's own documents, on days of 23, 24 and 25 hours, against bars by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import reads
from db.clickhouse.frames import fetch
from local import demo_markets
from local.documents import ercot, pjm
from local.documents.prices import Price
from pipeline.normalize import normalize
from tests.db.clickhouse import brute
from tests.db.clickhouse.rows import fresh_tenant, land
from tests.db.clickhouse.test_nyiso import expect
from tests.pipeline import making

pytestmark = pytest.mark.stack
DAYS = {date(2026, 3, 8): 23, date(2026, 6, 1): 24, date(2026, 11, 1): 25}


def rows(tenant: str, *documents: tuple[str, str, bytes], known: datetime) -> list[brute.Row]:
    """The ticks of documents (market, name, content), one message each, a minute apart."""
    made = list[brute.Row]()
    for number, (market, name, content) in enumerate(documents):
        packed = making.document(content.decode(), market=market, name=name)
        at = round((known + timedelta(minutes=number)).timestamp()) * 1_000_000
        found = normalize(making.batch(packed, known_at_us=at, first=number), tenant)
        assert found.rejects.is_empty()
        made += found.ticks.drop("location_name").to_dicts()
    return made


def of_day(day: date) -> list[brute.Row]:
    tenant, known = fresh_tenant(), datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=3)
    sent = [each for each in demo_markets.of_day(day) if each.market != "caiso"]  # packed: tests of their own
    return rows(tenant, *((each.market, each.name, each.content) for each in sent), known=known)


def test_hours_of_every_market_on_days_of_clock_change(client: Client) -> None:
    days = {day: of_day(day) for day in DAYS}
    for day, made in days.items():
        for market in ("ercot", "miso", "nyiso", "pjm"):
            starts = {each["start"] for each in made if each["market"] == market}
            assert len(starts) == (24 if market == "miso" else DAYS[day])
    together = list(chain.from_iterable(days.values()))
    land(client, together[::2])
    land(client, together[1::2])
    expect(client, together)


def test_a_run_of_sced_holds_until_the_next_one(client: Client) -> None:
    """The example of the manual: three runs about five minutes apart."""
    tenant, noon = fresh_tenant(), datetime(2026, 6, 1, 16, tzinfo=UTC)
    runs = [(14, 20.0), (5 * 60 + 12, 100.0), (10 * 60 + 15, 20.0)]
    documents = [ercot.sced([Price("HB_NORTH", noon + timedelta(seconds=at), usd)]) for at, usd in runs]
    made = rows(tenant, *(("ercot", *each) for each in documents), known=noon + timedelta(hours=1))
    land(client, made)
    expect(client, made)
    scope = reads.Scope([tenant], ["ercot.rt_sced.HB_NORTH"])
    [bar] = fetch(client, reads.read_bars(scope, "15m", reads.Range(noon, noon + timedelta(hours=1), 9))).to_dicts()
    shown = [bar[name] for name in ("open", "high", "low", "close", "count", "covered_seconds")]
    assert shown == [20, 100, 20, 20, 3, 886]
    assert round(bar["twap"], 4) == Decimal("47.3589")


def test_pjm_s_highest_version_is_the_price_whenever_it_came(client: Client) -> None:
    tenant, at = fresh_tenant(), datetime(2026, 6, 1, 16, tzinfo=UTC)
    first, second, third = (
        pjm.export("rt_hrl_lmps", [Price("51288", at, usd)], version)
        for version, usd in ((1, 30.0), (2, 42.5), (1, 99.0))
    )
    made = rows(tenant, *(("pjm", *each) for each in (first, second, third)), known=at + timedelta(hours=2))
    land(client, made)
    expect(client, made)
    span = reads.Range(at, at + timedelta(hours=1), 9)
    [tick] = fetch(client, reads.read_ticks(reads.Scope([tenant], ["pjm.rt_hourly.51288"]), span)).to_dicts()
    assert (tick["price"], tick["version"], tick["revision"]) == (Decimal("42.5"), 2, 1)


def test_a_settlement_holds_for_its_day_and_a_quote_for_none(client: Client) -> None:
    tenant, at = fresh_tenant(), datetime(2026, 1, 7, 3, tzinfo=UTC)
    strip = b"date,NG01,NG02\n2026-01-05,3.5,4\n2026-01-06,,4.25\n"
    quote = {"cmeCode": "NGG26", "month": 2, "year": 2026, "price": 6.5, "lastUpdate": "2026-01-06T21:59:53Z"}
    chain = json.dumps({"data": [quote, quote | {"lastUpdate": "2026-01-06T22:30:00Z", "price": 6.25}]}).encode()
    made = rows(tenant, ("henry_hub", "ng_strip.csv", strip), ("henry_hub", "chain.json", chain), known=at)
    land(client, made)
    expect(client, made)
    scope = reads.Scope([tenant], ["henry_hub.futures.NG01", "henry_hub.futures.NGG26"])
    found = fetch(client, reads.read_bars(scope, "1d", reads.Range(at - timedelta(days=3), at, 9)))
    shown = found.sort("instrument").select("close", "count", "twap", "covered_seconds").rows()
    assert shown == [(Decimal("3.5"), 1, Decimal("3.5"), 86_400), (Decimal("6.25"), 2, None, 0)]
