"""The brute force must itself be right: worked by hand from the manual's definitions."""

from datetime import UTC, datetime

import pytest

from verify.bars import Rules, bars, bounds_of, replay
from verify.model import Bar, Publication

E9 = 10**9
UNUSABLE = 1 << 6
GRACE = 60_000_000
PACIFIC = "America/Los_Angeles"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def publication(
    start: str,
    price: int,
    *,
    hold_end: str | None = None,
    known: str = "2026-01-01T00:00",
    version: int = 0,
    offset: int = 0,
    volume: int | None = None,
    energy: int | None = None,
    flags: int = 1,
    event_id: str = "",
) -> Publication:
    return Publication(
        ts=at(start), source_rank=0, event_id=event_id, version=version, known_at=at(known), topic_id="t",
        partition=0, offset=offset, row=1, start=at(start), hold_end=at(hold_end) if hold_end else None,
        price=price * E9, volume=None if volume is None else volume * E9, parts=(energy,), flags=flags,
    )  # fmt: skip


def rules(*intervals: str, zone: str = PACIFIC) -> Rules:
    return Rules(intervals, zone, GRACE, UNUSABLE)


def only(publications: list[Publication], interval: str) -> Bar:
    (bar,) = bars(publications, rules(interval))
    return bar


def test_twap_of_off_grid_runs_is_the_manuals_example() -> None:
    runs = [
        publication("2026-01-01T11:00:14", 20, hold_end="2026-01-01T11:30:14"),
        publication("2026-01-01T11:05:12", 100, hold_end="2026-01-01T11:35:12"),
        publication("2026-01-01T11:10:15", 20, hold_end="2026-01-01T11:40:15"),
    ]
    bar = only(runs, "15m")
    assert (bar.twap, bar.covered_us) == (47_358_916_479, 886_000_000)
    assert (bar.open, bar.high, bar.low, bar.close, bar.ticks) == (20 * E9, 100 * E9, 20 * E9, 20 * E9, 3)


def test_the_same_value_again_changes_nothing() -> None:
    first = publication("2026-01-01T11:00", 20, known="2026-01-01T11:01")
    again = publication("2026-01-01T11:00", 20, known="2026-01-01T15:00", offset=9, flags=1 | 32)
    assert only([again, first], "1h") == only([first], "1h")


def test_a_correction_counts_once_and_dates_the_bar() -> None:
    first = publication("2026-01-01T11:00", 20, known="2026-01-01T11:01")
    fixed = publication("2026-01-01T11:00", 21, known="2026-01-01T11:30", offset=9)
    bar = only([fixed, first], "1h")
    assert (bar.close, bar.revision, bar.updated_at) == (21 * E9, 1, at("2026-01-01T11:30"))


def test_a_corrected_component_is_a_correction() -> None:
    first = publication("2026-01-01T11:00", 20, energy=19)
    fixed = publication("2026-01-01T11:00", 20, energy=18, known="2026-01-02T00:00", offset=9)
    (identity,) = replay([first, fixed], UNUSABLE)
    assert identity.current.parts == (18,)
    assert len(identity.effective) == 2


def test_a_lower_version_never_wins_and_there_and_back_is_two_corrections() -> None:
    values = [(20, 2), (99, 1), (21, 2), (20, 2)]
    publications = [
        publication("2026-01-01T11:00", price, version=version, offset=i, known=f"2026-01-01T12:0{i}")
        for i, (price, version) in enumerate(values)
    ]
    bar = only(publications, "1h")
    assert (bar.close, bar.high, bar.revision) == (20 * E9, 20 * E9, 2)


@pytest.mark.parametrize(("known", "revision"), [("2026-01-01T12:01", 0), ("2026-01-01T12:01:01", 1)])
def test_a_price_that_comes_after_the_end_and_its_grace_is_a_revision(known: str, revision: int) -> None:
    assert only([publication("2026-01-01T11:00", 20, known=known)], "1h").revision == revision


def test_a_bucket_whose_only_price_became_unusable_has_no_bar() -> None:
    first = publication("2026-01-01T11:00", 20)
    gone = publication("2026-01-01T11:00", 20, flags=UNUSABLE, known="2026-01-01T12:00", offset=1)
    assert bars([first, gone], rules("1h")) == []


def test_vwap_is_rounded_once_half_to_even() -> None:
    ticks = [
        publication("2026-01-01T11:00", 1, volume=1, event_id="a"),
        publication("2026-01-01T11:00", 2, volume=2, event_id="b"),
    ]
    bar = only(ticks, "1m")
    assert (bar.vwap, bar.volume, bar.twap, bar.open, bar.close) == (1_666_666_667, 3 * E9, None, E9, 2 * E9)


@pytest.mark.parametrize(
    ("trades", "vwap"),
    [([(3000, -1)], 3000 * E9), ([(10, -3), (0, 0)], 10 * E9), ([(1, -4), (2, 1)], 666_666_667),
     ([(5, 1), (-3, -1)], None), ([(900_000_000, 3), (-900_000_000, -2)], None)],
)  # fmt: skip
def test_vwap_of_volumes_of_both_signs(trades: list[tuple[int, int]], vwap: int | None) -> None:
    ticks = [publication("2026-01-01T11:00", p, volume=v, event_id=str(n)) for n, (p, v) in enumerate(trades)]
    assert only(ticks, "1m").vwap == vwap


@pytest.mark.parametrize(("noon", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-07-01", 24)])
def test_a_market_day_has_its_own_length(noon: str, hours: int) -> None:
    start, end = bounds_of("1d", PACIFIC)(at(f"{noon}T20:00"))
    assert (end - start) == hours * 3_600_000_000
