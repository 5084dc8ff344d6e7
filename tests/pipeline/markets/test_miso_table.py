"""MISO's consolidated table of five minutes and their hours."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataProcessingError
from pipeline.markets import miso
from tests.pipeline.markets.miso_files import (
    FIVE,
    HOUR,
    est,
    parse,
    priced,
    prices,
    problems,
    table,
)  # fmt: skip

SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "iso" / "miso"


SAMPLE = SAMPLES / "rt_5min" / "GetLmpConsolidatedTable_20261002_1650_excerpt.json"


D = Decimal


@pytest.mark.skipif(not SAMPLE.exists(), reason="the exchange's own documents may not be redistributed: none are here")
def test_rows_of_a_real_table() -> None:
    read = parse(SAMPLE.read_bytes())
    assert (read.rows, read.rejects.height) == (37, 0)
    by_product = dict(read.ticks.group_by("product").len().rows())
    assert by_product == {"rt_5min": 21, "rt_hourly": 16}
    held = json.loads(SAMPLE.read_bytes())["LMPData"]
    for block, product, start, length in (
        ("FiveMinLMP", "rt_5min", est("2026-10-02T16:45"), FIVE),
        ("HourlyIntegratedLMP", "rt_hourly", est("2026-10-02T15:00"), HOUR),
    ):
        ticks = read.ticks.filter(product=product)
        assert ticks.select("location", "price", "congestion", "loss").rows() == [
            (each["name"], D(each["LMP"]), D(each["MCC"]), D(each["MLC"])) for each in held[block]["PricingNode"]
        ]
        assert ticks.select("start", "end").unique().rows() == [(start, start + length)]


def test_every_block_of_the_table_is_a_product() -> None:
    read = parse(
        table(
            "27-Jul-2026 - Interval 08:15 EST", FiveMinLMP=("08:15", [priced(), priced("AECI")]),
            HourlyIntegratedLMP=("HE 8", [priced(lmp="1")]), DayAheadExAnteLMP=("HE 9", priced(lmp="2")),
            DayAheadExPostLMP=("HE 9", [priced(lmp=3.10)]),
        )
    )  # fmt: skip
    assert read.ticks.select("product", "start", "end", "price", "row", "version").rows() == [
        ("rt_5min", est("2026-07-27T08:10"), est("2026-07-27T08:15"), D("34.04"), 1, 0),
        ("rt_5min", est("2026-07-27T08:10"), est("2026-07-27T08:15"), D("34.04"), 2, 0),
        ("rt_hourly", est("2026-07-27T07:00"), est("2026-07-27T08:00"), D(1), 3, 0),
        ("da_exante_hourly", est("2026-07-27T08:00"), est("2026-07-27T09:00"), D(2), 4, 0),
        ("da_hourly", est("2026-07-27T08:00"), est("2026-07-27T09:00"), D("3.1"), 5, 0),
    ]
    assert read.ticks["location_type"].to_list() == [None] * 5
    assert read.ticks.row(0, named=True)["energy"] == D("34.5")


def test_hubs_before_the_dispatch_are_a_product_of_their_own() -> None:
    hubs = [
        {"name": "X.HUB", "LMP": "30.75", "loss": "-0.25", "congestion": "1.00"},
        {"name": "Y", "LMP": "x", "loss": "", "congestion": ""},
        {"name": "Z", "LMP": "", "loss": "0.10", "congestion": "0.20"},
        {"name": "W", "LMP": "-2.50", "loss": "0.10", "congestion": "y"},
    ]
    told = {"RefId": "02-Oct-2026 - Interval 00:00 EST", "ExAnteLMP": {"HourAndMin": "00:00", "Hub": hubs}}
    document = json.dumps({"LMPData": told}).encode()
    read = parse(document)
    assert prices(read) == [("X.HUB", est("2026-10-01T23:55"), D("30.75"), D(30), D(1), D("-0.25"))]
    what = read.ticks.select("product", "instrument", "end", "derived", "location_type", "row").rows()
    assert what == [("rt_exante_5min", "miso.rt_exante_5min.X.HUB", est("2026-10-02"), True, None, 1)]
    assert problems(read) == [(2, "LMP", "x"), (4, "congestion", "y")]
    assert miso.claims("x", document)
    assert parse(document, product="rt_exante_5min").ticks.equals(read.ticks)
    with pytest.raises(DataProcessingError, match="is of rt_exante_5min, not of rt_5min"):
        parse(document, product="rt_5min")


@given(st.datetimes(datetime(2015, 1, 1), datetime(2030, 12, 31)))  # noqa: DTZ001
def test_hours_of_the_table_are_those_around_its_reference(at: datetime) -> None:
    """At any time, midnights and clock changes among them: the hour that is over, and the one that runs."""
    end = at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)
    hour = end.replace(minute=0)
    running = hour if end == hour else hour + HOUR  # the hour that the five minutes are part of, by its end
    read = parse(
        table(
            f"{end:%d-%b-%Y} - Interval {end:%H:%M} EST", FiveMinLMP=(f"{end:%H:%M}", [priced()]),
            HourlyIntegratedLMP=(f"HE {hour.hour or 24}", [priced()]),
            DayAheadExPostLMP=(f"HE {running.hour or 24}", [priced()]),
        )
    )  # fmt: skip
    expected = [est(each.isoformat()) for each in (end, hour, running)]
    assert read.ticks["end"].to_list() == expected


@pytest.mark.parametrize("gone", [None, "", [], {}, ("HE 8", None), ("HE 8", ""), ("HE 8", [])])
def test_blocks_may_be_absent_or_empty(gone: Any) -> None:
    reference = "27-Jul-2026 - Interval 24:00 EST"
    read = parse(table(reference, HourlyIntegratedLMP=gone, FiveMinLMP=("00:00", [priced()])))
    assert read.ticks["end"].to_list() == [est("2026-07-28")]
    with pytest.raises(DataProcessingError, match="no node in any"):
        parse(table(reference, HourlyIntegratedLMP=gone))
    with pytest.raises(DataProcessingError, match="no node in any of HourlyIntegratedLMP"):
        parse(table(reference, FiveMinLMP=("00:00", [priced()])), product="rt_hourly")


def test_nodes_of_the_table_that_are_bad_refuse_themselves_alone() -> None:
    blocks: dict[str, Any] = {
        "FiveMinLMP": ("16:52", [priced()]), "HourlyIntegratedLMP": ("HE 25", [priced()]),
        "DayAheadExAnteLMP": (None, [priced()]),
        "DayAheadExPostLMP": ("HE 17", [priced(lmp="x"), 5, priced(""), priced(lmp=""), priced(mcc="N/A")]),
    }  # fmt: skip
    read = parse(table("02-Oct-2026 - Interval 16:50 EST", **blocks))
    assert problems(read) == [
        (1, "HourAndMin", "16:52"), (2, "HourAndMin", "HE 25"), (3, "HourAndMin", ""), (4, "LMP", "x"),
        (5, "record", "5"), (6, "name", ""),
    ]  # fmt: skip
    assert prices(read) == [("INDIANA.HUB", est("2026-10-02T16:00"), D("34.04"), None, None, D("-0.94"))]
    wanted = parse(table("02-Oct-2026 - Interval 16:50 EST", FiveMinLMP=("16:50", [priced()]), **{
        "DayAheadExPostLMP": ("HE 17", [priced()])}), product="da_hourly")  # fmt: skip
    assert (wanted.ticks["product"].to_list(), problems(wanted)) == (["da_hourly"], [(1, "HourAndMin", "16:50")])


@pytest.mark.parametrize(
    "reference",
    [
        None,
        "",
        "2026-10-02T16:50",
        "02-Oct-2026 - Interval 16:50 EDT",
        "31-Feb-2026 - Interval 16:50 EST",
        "02-Oct-1889 - Interval 16:50 EST",
        "02-Oct-2026 - Interval 25:00 EST",
        "02-Okt-2026 - Interval 16:50 EST",
    ],
)
def test_a_table_needs_its_reference(reference: Any) -> None:
    with pytest.raises(DataProcessingError, match="RefId"):
        parse(table(reference, FiveMinLMP=("16:50", [priced()])))
