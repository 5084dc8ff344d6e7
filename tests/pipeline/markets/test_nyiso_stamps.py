"""NYISO's stamps: the dispatch and what looks ahead of it, exports, and the days on which the clock changes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import wallclock
from pipeline.flags import Flag, flagged
from tests.pipeline.markets import nyiso_files
from tests.pipeline.markets.nyiso_files import (
    DAY,
    DAY_AHEAD,
    FIVE,
    HOUR,
    HOURS,
    NEW_YORK,
    QUARTER,
    export,
    file,
    label,
    minutes,
    parse,
    problems,
    row,
    stamps,
)  # fmt: skip


def test_the_dispatch_ends_at_its_stamp_and_begins_at_the_one_before() -> None:
    read = parse(file(*stamps("10:00", "10:05", "10:06:14", "10:08:02", "10:10", "10:25:30", "10:30", "10:35")))
    assert minutes(read) == [
        ("rt_5min", start, end) for start, end in (
            ("09:55:00", "10:00:00"), ("10:00:00", "10:05:00"), ("10:05:00", "10:06:14"), ("10:06:14", "10:08:02"),
            ("10:08:02", "10:10:00"), ("10:20:30", "10:25:30"), ("10:25:30", "10:30:00"), ("10:30:00", "10:35:00"),
        )
    ]  # fmt: skip
    assert read.ticks["ts"].equals(read.ticks["end"])


@pytest.mark.parametrize(
    ("times", "ahead"),
    [("10:00 10:05 10:15 10:30 10:45", 3), ("10:05 10:10 10:15 10:30 10:45", 2), ("10:15 10:30 10:45", 2),
     ("10:10 10:30 10:45", 2), ("10:05 10:15", 1), ("10:05 10:13:10 10:15 10:30", 1),
     ("10:00 10:15 10:30 10:35", 0), ("10:05 10:20", 0), ("10:05 10:17:30", 0), ("10:05 11:15 11:30", 1),
     ("10:00 10:05 10:10", 0)],
)  # fmt: skip
def test_what_looks_ahead_is_of_the_commitment(times: str, ahead: int) -> None:
    read = parse(file(*stamps(*times.split())))
    rest = len(times.split()) - ahead
    placed = minutes(read)
    assert [product for product, _, _ in placed] == ["rt_5min"] * rest + ["rtc_15min"] * ahead
    commitment = read.ticks.filter(product="rtc_15min")
    assert (commitment["end"] - commitment["start"] == QUARTER).all()
    assert commitment["ts"].equals(commitment["start"])


def test_a_wanted_product_leaves_the_other_one_of_the_file_out() -> None:
    data = file(*stamps("10:05", "10:15", "10:30", names=["N.Y.C."]))
    read = parse(data, product="rt_5min")
    assert minutes(read) == [("rt_5min", "10:00:00", "10:05:00")]
    assert problems(read) == [(n, "Time Stamp", f"06/01/2024 10:{m}:00") for n, m in ((2, 15), (3, 30))]
    assert minutes(parse(data, product="rtc_15min"))[0] == ("rtc_15min", "10:00:00", "10:15:00")
    assert len(minutes(parse(data, product="rtc_15min"))) == 2


def test_what_the_commitment_says_of_later_quarters_is_advisory() -> None:
    ticks = parse(file(*stamps("10:05", "10:15", "10:30", "10:45", names=["N.Y.C."]))).ticks
    known = datetime(2024, 6, 1, 14, 0, 20, tzinfo=UTC)
    bits = flagged(ticks.with_columns(known_at=pl.lit(known)))["flags"].to_list()
    assert [bit & ~Flag.DERIVED for bit in bits] == [Flag.VALID, Flag.VALID, Flag.VALID, Flag.ADVISORY]


@pytest.mark.parametrize(
    ("market", "product", "length"), [("RTD", "rt_5min", FIVE), ("RTC", "rtc_15min", QUARTER)]
)  # fmt: skip
def test_exports_by_the_end_of_the_interval(market: str, product: str, length: timedelta) -> None:
    ends = [f"2024/06/01 {time}:00,N.Y.C.,61761,30.25,1.50,-2.75,2" for time in ("00:30", "00:45")]
    data = export(market, rows=(*ends,))
    read = parse(data, "OASIS.csv")
    assert read.rejects.height == 0
    assert parse(data.replace(b" Zonal", b"").replace(market.encode() + b" LBMP", b"LBMP"), "x").ticks.equals(
        read.ticks
    )
    at = datetime(2024, 6, 1, 4, 30, tzinfo=UTC)
    expected = [
        (f"nyiso.{product}.N.Y.C.", end - length, end, Decimal("30.25"), Decimal("2.75"), 2)
        for end in (at, at + QUARTER)
    ]
    assert read.ticks.select("instrument", "start", "end", "price", "congestion", "version").rows() == expected


@pytest.mark.parametrize(
    ("market", "kind", "product", "location_type"),
    [("DAM", "Zonal", "da_hourly", "zone"), ("DAM", "Gen", "da_hourly", "generator"),
     ("TWI", "Zonal", "rt_hourly", "zone"), ("TWI", "Gen", "rt_hourly", "generator")],
)  # fmt: skip
def test_exports_by_hours_name_their_zone(market: str, kind: str, product: str, location_type: str) -> None:
    ptid = 61761 if kind == "Zonal" else 23512
    hours = [("11/2/25 1:00", "EST"), ("11/2/25 1:00", "EDT"), ("2025/11/02 00:00:00", "EDT"), ("11/2/25 0:00", "EST")]
    rows = [f"{stamp},{zone},A,{ptid},30.25,1.50,-2.75," for stamp, zone in hours]
    read = parse(export(market, kind, (*rows,)), "damlbmp" if market == "TWI" else "x")
    assert problems(read) == [(4, "Eastern Date Hour Time Zone", "EST")]
    at = datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert read.ticks.select("product", "location_type", "start", "version").rows() == [
        (product, location_type, at + hour * HOUR, 0) for hour in (2, 1, 0)
    ]


def day_of(day: date, step: timedelta, by_end: bool) -> tuple[list[datetime], bytes]:
    """(starts, file) of a whole local day, as the clock in New York labels it."""
    starts = nyiso_files.steps(day, step)
    labels = [label(at + step if by_end else at) for at in starts]
    return starts, file(*(row(text, name) for text in labels for name in ("CAPITL", "N.Y.C.")))


@pytest.mark.parametrize("day", nyiso_files.clock_changes(2015, 2030), ids=str)
@pytest.mark.parametrize(("step", "name"), [(HOUR, DAY_AHEAD), (HOUR, HOURS), (FIVE, DAY)])
def test_the_labels_of_a_day_map_one_to_one_to_its_hours(day: date, step: timedelta, name: str) -> None:
    starts, data = day_of(day, step, by_end=name == DAY)
    assert len(starts) * step in (23 * HOUR, 25 * HOUR)
    read = parse(data, name)
    assert read.rejects.height == 0
    assert read.ticks["start"].to_list() == [start for start in starts for _ in range(2)]
    assert (read.ticks["end"] - read.ticks["start"] == step).all()


@given(
    st.sampled_from(nyiso_files.clock_changes(2015, 2030)),
    st.sets(st.integers(1, 25 * 3600 - 1), max_size=20),
    st.integers(0, 300),
    st.integers(1, 300),
)
def test_any_part_of_such_a_day_is_placed_right_or_refused(day: date, extra: set[int], first: int, size: int) -> None:
    begin, end = nyiso_files.bounds(day)
    events = {at for at in (begin + timedelta(seconds=second) for second in extra) if at < end}
    ends = sorted(events | {at + FIVE for at in nyiso_files.steps(day, FIVE)})[first:][:size]
    if not ends:
        return
    read = parse(file(*map(row, map(label, ends))))
    assert read.ticks["ts"].to_list() == [ends[number - 1] for number in read.ticks["row"]]
    turns = {at.astimezone(NEW_YORK).replace(fold=0).astimezone(UTC) == at for at in ends}
    hour = {label(at, "%Y%m%d %H") for at in ends}
    known = day.month < 6 or hour != {f"{day:%Y%m%d} 01"} or len(turns) == 2
    assert (read.rejects.height == 0) == known
    assert set(read.rejects["reason"].str.slice(-len(wallclock.TWICE))) <= {wallclock.TWICE}


def test_the_repeated_hour_of_locations_one_after_the_other() -> None:
    times = ("00:00", "01:00", "01:00", "02:00")
    rows = [row(f"11/02/2025 {time}", name) for name in ("CAPITL", "N.Y.C.") for time in times]
    read = parse(file(*rows), DAY_AHEAD)
    at = datetime(2025, 11, 2, 4, tzinfo=UTC)
    assert read.ticks["start"].to_list() == [at + hour * HOUR for hour in (0, 1, 2, 3)] * 2


def test_an_hour_of_which_nothing_tells_which_it_is_is_refused() -> None:
    (refused,) = parse(file(row("11/02/2025 01:30:00"), row("11/01/2025 10:05:00"))).rejects.to_dicts()
    assert refused["reason"] == f"Time Stamp '11/02/2025 01:30:00' {wallclock.TWICE}"
    read = parse(file(row("03/09/2025 01:00"), row("03/09/2025 02:00"), row("03/09/2025 03:00")), DAY_AHEAD)
    assert read.rejects["reason"].to_list() == [f"Time Stamp '03/09/2025 02:00' {wallclock.NOT_THERE}"]
    assert read.ticks["row"].to_list() == [1, 3]
